// "passed failed skipped" of a GoogleTest JSON report, and the names of what was skipped.
import { readFileSync, writeFileSync } from 'node:fs';

const [reportFile, countsFile] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const suite of JSON.parse(readFileSync(reportFile, 'utf8')).testsuites) {
  for (const test of suite.testsuite) {
    if (test.failures?.length > 0) counts.failed += 1;
    else if (test.result === 'COMPLETED') counts.passed += 1;
    else {
      counts.skipped += 1;
      process.stdout.write(`    skipped  ${suite.name}.${test.name}${test.status === 'NOTRUN' ? ': disabled' : ''}\n`);
    }
  }
}
writeFileSync(countsFile, `${counts.passed} ${counts.failed} ${counts.skipped}\n`);
