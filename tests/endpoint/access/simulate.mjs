// What @cloud-copilot/iam-simulate says: npm install @cloud-copilot/iam-simulate; node simulate.mjs CASES OUT
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const { runSimulation } = await import(createRequire(`${process.cwd()}/x.js`).resolve("@cloud-copilot/iam-simulate"));
const verdicts = [];
for (const one of JSON.parse(readFileSync(process.argv[2]))) {
  const result = await runSimulation(
    {
      request: {
        principal: "arn:aws:iam::000000000000:role/Invoker",
        action: "sagemaker:InvokeEndpoint",
        resource: {
          resource: "arn:aws:sagemaker:us-east-1:000000000000:endpoint/slipway-staging",
          accountId: "000000000000",
        },
        contextVariables: one.context,
      },
      identityPolicies: [{ name: "one", policy: one.policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  verdicts.push(result.overallResult ?? JSON.stringify(result).slice(0, 300));
}
writeFileSync(process.argv[3], JSON.stringify(verdicts));
