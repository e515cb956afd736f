// What npm audit said of one lock file, in a line. usage: audit_summary.mjs FOLDER REPORT.json
// Ends with status 1 where something is high or critical. A registry that doesn't answer such questions is said, too.
import { readFileSync } from 'node:fs';

const [folder, path] = process.argv.slice(2);

function counts() {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}

const found = counts();
if (!found) {
  console.error(`    ${folder}: the registry gives no advisories here`);
} else {
  const severities = ['critical', 'high', 'moderate', 'low', 'info'];
  console.error(`    ${folder}: ${severities.map((severity) => `${found[severity]} ${severity}`).join(', ')}`);
  if (found.critical + found.high > 0) process.exitCode = 1;
}
