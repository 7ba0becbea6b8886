/** HL7's own validator, as HAPI FHIR has it, over everything that a running registry says. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Encoding, everyAnswer } from '../http/every-answer.ts';
import { inFolder } from './folder.ts';
import { compiled, type Java } from './java.ts';
import { claim, type Suite } from './suite.ts';

let programs: Promise<Java> | undefined;
/** Compiled once for all tests. */
const java = (): Promise<Java> => (programs ??= compiled(join(import.meta.dirname, 'hapi-validator')));

/** A message of the validator that is none of a fault here, and why. */
interface Explained {
  readonly message: RegExp;
  readonly because: string;
}

const explained: readonly Explained[] = [
  {
    message: /^warning .* Constraint failed: dom-6: /,
    because: 'narrative is for readers; these answers go to machines, and tell no more than asked',
  },
  {
    message: /^warning .*BALP\/CodeSystem\/BasicAuditEntityType(#XrequestId\) was not found| for '.*#XrequestId')/,
    because: 'IHE BALP defines the code; the validator has base R4 only, and the binding is extensible',
  },
  {
    message: /^warning .*urn:ihe:event-type-code#ITI-(78|83|104|119)\b/,
    because: 'IHE defines the codes of its transactions; the validator has base R4 only, and the binding is extensible',
  },
  {
    message: /^warning .*'ParticipationRoleType'.*provenance-participant-type#custodian\)$/,
    because: 'IHE BALP asks for this code; the binding is extensible',
  },
  {
    message: /^warning .*meta\.tag\[0\] A code with no system has no defined meaning/,
    because: 'the tag of golden records is that of OpenCR 1.x, whose clients look for it without a system',
  },
  {
    message: /^warning Bundle SearchSet Bundles should have a self link/,
    because: '$match is asked by POST: there is no URL that says what was asked',
  },
  {
    message: /^information .* Unknown extension http:\/\/openclientregistry\.org\/fhir\/matchEvidence$/,
    because: 'an extension of ours, which docs/api.md tells',
  },
  {
    message: /^error \/f:Parameters Element must have some content$/,
    because: 'IHE PIXm asks for Parameters without any where nothing is found; in JSON the validator takes it',
  },
];

/** Each message as `severity location message`, by the file that it is about. */
function messagesIn(printed: string): readonly (readonly [file: string, message: string])[] {
  const lines = printed
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  return lines.slice(0, -1).map(([file = '', ...message]) => [file, message.join(' ')]);
}

/** Whose messages are none that is not explained. */
function areExplained(printed: string, whats: ReadonlyMap<string, string>): number {
  const messages = messagesIn(printed);
  const strange = messages
    .filter(([, message]) => !explained.some((one) => one.message.test(message)))
    .map(([file, message]) => `${whats.get(file) ?? file}: ${message}`);
  claim(strange.length === 0, `the validator says: ${[...new Set(strange)].slice(0, 20).join('; ')}`);
  return messages.length;
}

async function validates(encoding: Encoding): Promise<string> {
  const run = await java();
  const given = await everyAnswer(encoding);
  return inFolder(async (folder) => {
    const whats = new Map(given.map(({ what }, n) => [`${n}.${encoding}`, what]));
    given.forEach(({ text }, n) => writeFileSync(join(folder, `${n}.${encoding}`), text));
    const printed = await run('Validator', folder);
    claim(printed.endsWith(`done\t${given.length}\n`), `the validator did not read all: ${printed.slice(-200)}`);
    const count = areExplained(printed, whats);
    return `${given.length} answers, ${count} messages, all explained`;
  });
}

async function notices(): Promise<string> {
  const run = await java();
  return inFolder(async (folder) => {
    const entry = [{ resource: { resourceType: 'Patient', gender: 'f', contact: [{ gender: 'male' }], nickname: 'x' } }];
    writeFileSync(join(folder, '0.json'), JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry }));
    const errors = messagesIn(await run('Validator', folder)).filter(([, message]) => message.startsWith('error'));
    for (const element of ['gender', 'contact[0]', 'nickname'])
      claim(
        errors.some(([, message]) => message.includes(element)),
        `the validator does not notice ${element}`,
      );
    return `${errors.length} errors in what is wrong`;
  });
}

export const hapiValidator: Suite = {
  name: 'hapi-validator',
  tests: [
    { title: 'finds every answer in JSON to be FHIR R4', run: () => validates('json') },
    { title: 'finds every answer in XML to be FHIR R4', run: () => validates('xml') },
    { title: 'and would notice', run: notices },
  ],
};
