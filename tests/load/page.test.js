// The page's part of scripts/load, a second each: that it works, not how fast.
import { test } from 'node:test';

import { DEMO_ROOT } from '../browser/chromium.js';
import { checkRows } from './check_rows.js';

test('every row of the page is measured', () => checkRows('page.mjs', ['--demo', DEMO_ROOT], 6));
