import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openMemoryStore } from '../../test/support/memory-ledger.ts';
import { countingIds, patientOf, rulesOf, systemOf } from '../../test/support/story.ts';
import { emptyChange } from '../domain/change-set.ts';
import { defaultOurs } from '../fhir/ours.ts';
import { isRefusal } from '../fhir/refusal.ts';
import { createExhaustiveIndex } from '../matching/exhaustive.ts';
import { adjudicate } from './adjudicate.ts';
import type { Case } from './decide.ts';
import { createExtractor, createStoredExtractor } from './extract.ts';
import { takeIn } from './intake.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import { createAuthorities } from './policy/authorities.ts';
import type { RegistryView } from './ports.ts';
import { createProjection } from './projection.ts';
import { submit } from './submit.ts';

const rules = rulesOf({
  rules: [
    {
      matchingType: 'deterministic',
      potentialMatchThreshold: 1,
      autoMatchThreshold: 2,
      null_handling: 'moderate',
      fields: {
        given: { algorithm: 'exact', fhirpath: 'name.given', espath: 'given' },
        family: { algorithm: 'exact', fhirpath: 'name.family', espath: 'family' },
        birthDate: { algorithm: 'exact', fhirpath: 'birthDate', espath: 'birthDate', type: 'Date' },
      },
    },
  ],
});
const CLIENTS = ['a', 'b'] as const;
const VALUES = ['1', '2', '3'] as const;
const extract = createExtractor(rules.features);
const clients = CLIENTS.map((name) => ({ name, displayName: name, systems: [systemOf(name)], scopes: [], disabled: false }));
const policy = { authorities: createAuthorities([], clients, 'open'), ours: defaultOurs, extract };

/** Everything that a view says of the records and golden records there may be. */
async function reads(view: RegistryView, upTo: { readonly records: number; readonly goldens: number }): Promise<unknown> {
  const byRecord = await Promise.all(
    Array.from({ length: upTo.records }, async (_, i) => ({
      record: await view.record(i + 1),
      resource: await view.resource(i + 1),
      features: await view.features(i + 1),
      links: await view.linksOf(i + 1),
      pairs: [...(await view.pairs(i + 1))].sort((x, y) => x.a - y.a || x.b - y.b),
      adjudications: [...(await view.adjudications(i + 1))].sort((x, y) => x.a - y.a || x.b - y.b),
      tasks: [...(await view.openTasks(i + 1))].sort((x, y) => x.key - y.key),
    })),
  );
  const byGolden = await Promise.all(
    Array.from({ length: upTo.goldens }, async (_, i) => ({
      golden: await view.golden(i + 1),
      members: await view.members(i + 1),
      links: (await view.linksTo(i + 1)).toSorted((x, y) => x.from - y.from || x.record - y.record),
    })),
  );
  const ids = byRecord.flatMap(({ record }) => record?.id ?? []);
  return {
    byRecord,
    byGolden,
    named: await Promise.all(CLIENTS.flatMap((client) => VALUES.map((value) => view.named('', systemOf(client), value)))),
    ids: await Promise.all([...ids, 'own-1', 'own-2', 'unknown'].map((id) => view.resolveId(id, 'a'))),
  };
}

const submission = fc.record({
  kind: fc.constant('submit' as const),
  client: fc.constantFrom(...CLIENTS),
  name: fc.constantFrom(...VALUES),
  given: fc.constantFrom('g', 'h'),
  family: fc.constantFrom('f', 'e'),
  birthDate: fc.constantFrom('1990-01-01', '1990-01-02'),
  active: fc.boolean(),
  id: fc.option(fc.constantFrom('own-1', 'own-2'), { nil: undefined }),
});
const decision = fc.record({
  kind: fc.constant('decide' as const),
  a: fc.nat(5),
  b: fc.nat(5),
  verdict: fc.constantFrom('same' as const, 'different' as const, 'undecided' as const),
});

type Step =
  typeof submission extends fc.Arbitrary<infer S> ? S | (typeof decision extends fc.Arbitrary<infer D> ? D : never) : never;

async function run(one: Case, step: Step): Promise<void> {
  if (step.kind === 'submit') {
    const { client, name, id, ...person } = step;
    const body = { ...patientOf(client, name, person), ...(id !== undefined && { id }) };
    const taken = takeIn(body, { method: 'POST', target: { kind: 'none' }, ifMatch: null }, client, policy);
    if (isRefusal(taken)) throw new Error(JSON.stringify(taken));
    await submit({ ...one, sender: { ...one.sender, agent: client } }, taken.submission);
    return;
  }
  const [a, b] = [await one.overlay.record(step.a + 1), await one.overlay.record(step.b + 1)];
  if (a && b && a.key !== b.key) await adjudicate(one, { pairs: [{ a: a.id, b: b.id }], verdict: step.verdict });
}

it('says before a batch is committed what the ledger says after', { timeout: 120_000 }, async () => {
  const batches = fc.array(
    fc.array(fc.oneof({ arbitrary: submission, weight: 4 }, { arbitrary: decision, weight: 1 }), { minLength: 1, maxLength: 5 }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(batches, async (history) => {
      const { ledger } = openMemoryStore(rules.features);
      const decider = {
        rules,
        index: createExhaustiveIndex(rules),
        extract: createStoredExtractor(rules.features),
        newId: countingIds('id-'),
        clock: { now: () => '2026-01-01T00:00:00.000Z', monotonic: () => 0 },
      };
      const start = await ledger.head();
      const audit = { action: 'administer' as const, agent: 'test', address: '', requestId: '', record: null, what: 'rules' };
      const first = createOverlay(ledger, { sequence: 1, next: start });
      await first.apply({
        ...emptyChange('2026-01-01T00:00:00.000Z', audit),
        rules: { version: rules.version, definition: '{}' },
      });
      await ledger.commit('rules', first.changes, 0, first.next);
      const projection = createProjection(ledger, decider, 1);
      for (const [n, batch] of history.entries()) {
        const head = await projection.catchUp();
        const overlay: Overlay = createOverlay(ledger, { sequence: head.sequence + 1, next: head });
        for (const step of batch) {
          const scratch = createOverlay(overlay, overlay);
          await run({ ...decider, overlay: scratch, sender: { agent: 'steward', address: '', requestId: '' } }, step);
          const seen = await reads(scratch, { records: 6, goldens: 12 });
          for (const change of scratch.changes) await overlay.apply(change);
          expect(await reads(overlay, { records: 6, goldens: 12 })).toEqual(seen);
        }
        const before = await reads(overlay, { records: 6, goldens: 12 });
        await ledger.commit(`batch ${n}`, overlay.changes, head.sequence, overlay.next);
        expect(await reads(ledger, { records: 6, goldens: 12 })).toEqual(before);
        await projection.take(overlay.changes, head);
      }
    }),
    { numRuns: 150 },
  );
});
