// What @cloud-copilot/iam-simulate says of the roles of training and of warm (tests.infra.warm_requests):
// npm install @cloud-copilot/iam-simulate; python -m tests.infra.training_requests CASES; node simulate.mjs CASES OUT
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const { runSimulation } = await import(createRequire(`${process.cwd()}/x.js`).resolve("@cloud-copilot/iam-simulate"));
const { digest, cases } = JSON.parse(readFileSync(process.argv[2]));
// a key's own policy has to let IAM's policies decide, as that of the template does
const keyPolicy = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "kms:*", Resource: "*" }],
};
const letters = { Allowed: "A", ExplicitlyDenied: "E", ImplicitlyDenied: "I" };
const lines = [digest];
for (const one of cases) {
  const result = await runSimulation(
    {
      request: {
        principal: one.principal,
        action: one.action,
        resource: { resource: one.resource, accountId: "000000000000" },
        contextVariables: one.context,
      },
      identityPolicies: one.policies.map((policy, index) => ({ name: `${index}`, policy })),
      resourcePolicy: one.action.startsWith("kms:") ? keyPolicy : undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  const verdict = letters[result.overallResult] ?? JSON.stringify(result.errors ?? result).slice(0, 200);
  lines.push(`${verdict} ${one.principal.split("/").pop()} ${one.action} ${one.resource}`);
}
writeFileSync(process.argv[3], lines.join("\n") + "\n");
