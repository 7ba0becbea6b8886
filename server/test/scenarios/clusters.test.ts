import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/adapters/sql/verify.ts';
import { dataFolder } from '../support/data-folder.ts';
import { patientOf, type Person, Story } from '../support/story.ts';

/** Two of three equal fields resemble, three are the same: so that A–B and B–C may match where A–C does not. */
const rules = {
  rules: [
    {
      matchingType: 'deterministic',
      potentialMatchThreshold: 2,
      autoMatchThreshold: 3,
      null_handling: 'moderate',
      fields: {
        given: { algorithm: 'exact', fhirpath: 'name.given', espath: 'given' },
        family: { algorithm: 'exact', fhirpath: 'name.family', espath: 'family' },
        birthDate: { algorithm: 'exact', fhirpath: 'birthDate', espath: 'birthDate', type: 'Date' },
        phone: { algorithm: 'exact', fhirpath: "telecom.where(system='phone').value", espath: 'phone' },
      },
    },
  ],
};

const open = (dataDir = dataFolder()) => Story.open({ dataDir, rules });

const A: Person = { given: 'Amina', family: 'Yusuf', birthDate: '1991-01-01', phone: '1' };
const B: Person = { given: 'Amina', family: 'Yusuf', birthDate: '1991-01-01', phone: '2' };
const C: Person = { given: 'Amina', family: 'Yusuf', birthDate: '1992-02-02', phone: '2' };
/** Resembles nobody. */
const D: Person = { given: 'Zeno', family: 'Quist', birthDate: '1950-05-05', phone: '9' };

const chain: readonly (readonly [string, Person])[] = [
  ['clinicA', A],
  ['clinicB', B],
  ['clinicC', C],
];

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));

async function partitionOf(arrivals: readonly (readonly [string, string, Person])[]): Promise<readonly (readonly string[])[]> {
  const story = await open();
  for (const [client, name, person] of arrivals) await story.submits(client, name, person);
  const groups = await story.groups();
  await story.close();
  return groups;
}

describe('the order of arrival', () => {
  it('does not count for a chain A–B–C, in any of its six orders', async () => {
    const partitions: unknown[] = [];
    for (const order of permutations(chain))
      partitions.push(await partitionOf(order.map(([client, person]) => [client, 'p', person])));
    expect(partitions[0]).toEqual([['p@clinicA', 'p@clinicB', 'p@clinicC']]);
    for (const partition of partitions) expect(partition).toEqual(partitions[0]);
  });

  it('does not count for random records: any order ends in the same partition', { timeout: 120_000 }, async () => {
    const person = fc.record({
      given: fc.constantFrom('a', 'b'),
      family: fc.constantFrom('f', 'g'),
      birthDate: fc.constantFrom('1990-01-01', '1990-01-02'),
      phone: fc.constantFrom('1', '2', '3'),
    });
    const population = fc.uniqueArray(
      fc.tuple(fc.constantFrom('clinicA', 'clinicB'), fc.stringMatching(/^[a-z]{1,3}$/), person),
      {
        minLength: 2,
        maxLength: 12,
        selector: ([client, name]) => `${name}@${client}`,
      },
    );
    const twoOrders = population.chain((records) =>
      fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length, maxLength: records.length })),
    );
    await fc.assert(
      fc.asyncProperty(twoOrders, async ([one, other]) => {
        expect(await partitionOf(other)).toEqual(await partitionOf(one));
      }),
      { numRuns: 60 },
    );
  });

  it('an update that ends where a direct submission would have, ends in the same partition', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'p', D);
    await story.submits('clinicC', 'p', C);
    await story.submits('clinicB', 'p', B);
    expect(await story.groups()).toEqual([['p@clinicA', 'p@clinicB', 'p@clinicC']]);
    await story.close();
  });
});

describe('a CRUID once given resolves for ever', () => {
  it('two groups that a third record joins: one CRUID survives, the other forwards to it', async () => {
    const story = await open();
    const a = await story.submits('clinicA', 'p', A);
    const c = await story.submits('clinicC', 'p', C);
    expect(c.cruid).not.toBe(a.cruid);
    const b = await story.submits('clinicB', 'p', B);
    expect(b.cruid).toBe(a.cruid);
    expect(await story.cruidOf('p@clinicC')).toBe(a.cruid);
    expect(await story.resolves(c.cruid)).toBe(a.cruid);
    await story.close();
  });

  it('join, then break: each old CRUID resolves to its own person', async () => {
    const story = await open();
    const a = await story.submits('clinicA', 'p', A);
    const d = await story.submits('clinicB', 'q', D);
    expect((await story.joins(['p@clinicA', 'q@clinicB'])).kind).toBe('done');
    expect(await story.cruidOf('q@clinicB')).toBe(a.cruid);
    expect(await story.resolves(d.cruid)).toBe(a.cruid);
    expect((await story.breaks(['p@clinicA', 'q@clinicB'])).kind).toBe('done');
    expect(await story.cruidOf('p@clinicA')).toBe(a.cruid);
    expect(await story.cruidOf('q@clinicB')).toBe(d.cruid);
    expect(await story.resolves(d.cruid)).toBe(d.cruid);
    await story.close();
  });

  it('the update that took a record away and back leaves every CRUID where it was', async () => {
    const story = await open();
    const a = await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'p', B);
    const away = await story.submits('clinicB', 'p', D);
    expect(away.cruid).not.toBe(a.cruid);
    const back = await story.submits('clinicB', 'p', B);
    expect(back.cruid).toBe(a.cruid);
    expect(await story.resolves(away.cruid)).toBe(a.cruid);
    const again = await story.submits('clinicB', 'p', D);
    expect(again.cruid).toBe(away.cruid);
    await story.close();
  });
});

describe('people’s decisions', () => {
  it('a broken match survives every rematch; taken back, the rules decide again', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'p', B);
    await story.breaks(['p@clinicA', 'p@clinicB']);
    expect(await story.groups()).toEqual([['p@clinicA'], ['p@clinicB']]);
    await story.submits('clinicB', 'p', { ...B, phone: '1' });
    expect(await story.groups()).toEqual([['p@clinicA'], ['p@clinicB']]);
    await story.takesBack(['p@clinicA', 'p@clinicB']);
    expect(await story.links()).toEqual(['G1 ← p@clinicA (first)', 'G1 ← p@clinicB (auto)']);
    await story.close();
  });

  it('a manual link holds records together that no rule would', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'q', D);
    await story.joins(['p@clinicA', 'q@clinicB']);
    await story.submits('clinicB', 'q', { ...D, phone: '77' });
    expect(await story.links()).toEqual(['G1 ← p@clinicA (first)', 'G1 ← q@clinicB (manual)']);
    await story.close();
  });

  it('a decision that contradicts the others is refused, and names them', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'q', D);
    await story.submits('clinicC', 'r', { ...D, given: 'Other', family: 'Else' });
    await story.joins(['p@clinicA', 'q@clinicB']);
    await story.joins(['q@clinicB', 'r@clinicC']);
    const refused = await story.breaks(['p@clinicA', 'r@clinicC']);
    expect(refused).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
    expect(JSON.stringify(refused)).toContain(await story.idOf('q@clinicB'));
    expect(await story.groups()).toHaveLength(1);
    await story.close();
  });

  it('decisions of one command may not contradict one another, or one that stands', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'q', D);
    await story.submits('clinicC', 'r', { ...D, given: 'Other', family: 'Else' });
    await story.breaks(['p@clinicA', 'r@clinicC']);
    const refused = await story.joins(['p@clinicA', 'q@clinicB'], ['q@clinicB', 'r@clinicC']);
    expect(refused).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
    expect(await story.groups()).toHaveLength(3);
    await story.close();
  });

  it('both records of a broken match are new versions, for their owners to see', async () => {
    const story = await open();
    const a = await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'p', B);
    await story.breaks(['p@clinicA', 'p@clinicB']);
    const key = await story.store.ledger.named('', 'http://clinicA.example.org', 'p');
    expect((await story.store.ledger.record(key ?? 0))?.version).toBeGreaterThan(a.version);
    expect(await story.store.reader.brokenWith(key ?? 0, (await story.store.ledger.head()).sequence)).toEqual([
      await story.idOf('p@clinicB'),
    ]);
    await story.close();
  });
});

describe('a component over the limit', () => {
  const small = { ...rules, limits: { maxComponent: 3 } };

  it('is left as it is by the machine, which says so once; people’s decisions are carried out in it', async () => {
    const story = await Story.open({ dataDir: dataFolder(), rules: small });
    for (const name of ['p1', 'p2', 'p3']) await story.submits('clinicA', name, A);
    expect((await story.submits('clinicA', 'p4', A)).flags).toContain('too-large');
    expect((await story.submits('clinicA', 'p5', A)).flags).not.toContain('too-large');
    expect(await story.groups()).toEqual([['p1@clinicA', 'p2@clinicA', 'p3@clinicA'], ['p4@clinicA'], ['p5@clinicA']]);
    await story.breaks(['p1@clinicA', 'p2@clinicA']);
    expect(await story.groups()).toEqual([['p1@clinicA', 'p3@clinicA'], ['p2@clinicA'], ['p4@clinicA'], ['p5@clinicA']]);
    await story.joins(['p1@clinicA', 'p4@clinicA']);
    expect(await story.groups()).toEqual([['p1@clinicA', 'p3@clinicA', 'p4@clinicA'], ['p2@clinicA'], ['p5@clinicA']]);
    await story.close();
  });
});

describe('review tasks', () => {
  it('a resemblance of two persons is a potential match, an automatic one to look over', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    const near = await story.submits('clinicB', 'p', { ...C, phone: '5' });
    expect(near.flags).toEqual(['potential']);
    const auto = await story.submits('clinicC', 'p', B);
    expect(auto.flags).toContain('auto');
    await story.close();
  });

  it('a record whose arrival is undone loses its tasks', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'p', { ...C, phone: '5' });
    const gone = await story.submits('clinicB', 'p', D);
    expect(gone.flags).toEqual([]);
    await story.close();
  });

  it('an arrival that takes records apart opens a task for who moved', async () => {
    const story = await open();
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicC', 'p', C);
    await story.submits('clinicB', 'p', B);
    expect(await story.groups()).toEqual([['p@clinicA', 'p@clinicB', 'p@clinicC']]);
    await story.submits('clinicB', 'p', D);
    expect(await story.groups()).toEqual([['p@clinicA'], ['p@clinicB'], ['p@clinicC']]);
    expect([await story.flags('p@clinicA'), await story.flags('p@clinicC')].flat()).toContain('moved');
    await story.close();
  });
});

describe('the ledger', () => {
  it('the same body again changes nothing but the audit', async () => {
    const story = await open();
    const first = await story.submits('clinicA', 'p', A);
    const before = await story.store.ledger.head();
    const again = await story.submits('clinicA', 'p', A);
    expect(again).toEqual({ ...first, status: 'unchanged' });
    const [committed] = await story.store.ledger.changes(before.sequence, 10);
    expect(committed?.change).toMatchObject({
      audit: { record: 1, action: 'update' },
      records: [],
      linksBegun: [],
      pairsBegun: [],
    });
    await story.close();
  });

  it('a restart under new rules makes the pairs again; links stand until a record is touched', async () => {
    const dataDir = dataFolder();
    const story = await open(dataDir);
    await story.submits('clinicA', 'p', A);
    await story.submits('clinicB', 'p', B);
    await story.close();
    const stricter = structuredClone(rules);
    const [rule] = stricter.rules;
    if (rule) Object.assign(rule, { potentialMatchThreshold: 3, autoMatchThreshold: 4 });
    const after = await Story.open({ dataDir, rules: stricter });
    expect(await after.groups()).toEqual([['p@clinicA', 'p@clinicB']]);
    expect(await after.store.ledger.pairs(1)).toMatchObject([{ class: 'potential', ruleVersion: after.rules.version }]);
    await after.submits('clinicB', 'p', B);
    expect(await after.groups()).toEqual([['p@clinicA'], ['p@clinicB']]);
    await after.close();
  });

  it('new rules with a new path find its values in the stored Patients', async () => {
    const dataDir = dataFolder();
    const story = await open(dataDir);
    await story.submits('clinicA', 'p', { ...A, gender: 'female' });
    await story.submits('clinicB', 'q', { ...D, gender: 'female' });
    await story.close();
    const byGender = { rules: { gender: { algorithm: 'exact', path: 'gender', type: 'String' } } };
    const after = await Story.open({ dataDir, rules: byGender });
    expect(await after.store.ledger.pairs(1)).toMatchObject([{ a: 1, b: 2, class: 'auto' }]);
    await after.submits('clinicC', 'r', { ...D, gender: 'male' });
    expect(await after.store.ledger.pairs(3)).toEqual([]);
    await after.close();
  });

  it('verifies after a whole story, and the links name rule and evidence', async () => {
    const dataDir = dataFolder();
    const story = await open(dataDir);
    for (const [client, person] of chain) await story.submits(client, 'p', person);
    await story.breaks(['p@clinicA', 'p@clinicB']);
    await story.takesBack(['p@clinicA', 'p@clinicB']);
    const links = (await Promise.all([1, 2, 3].map((key) => story.store.ledger.linksOf(key)))).flat();
    for (const link of links) {
      expect(link.ruleVersion).toBe(story.rules.version);
      if (link.origin === 'auto') expect(link.because?.evidence.length).toBe(4);
    }
    await story.close();
    expect(verifyStore(dataDir)).toEqual([]);
  });
});

describe('REST-27: an update that names the version it knows', () => {
  it('is taken when that version is in force, else refused without a trace', async () => {
    const story = await open();
    const first = await story.submits('clinicA', 'p', A);
    const update = (ifMatch: string) =>
      story.send(
        'clinicA',
        { ...patientOf('clinicA', 'p', D), id: first.id },
        { method: 'PUT', target: { kind: 'id', id: first.id }, ifMatch },
      );
    const head = await story.store.ledger.head();
    expect(await update('W/"7"')).toMatchObject({ kind: 'refused', refusal: { code: 'version-conflict' } });
    expect(await update('7')).toMatchObject({ kind: 'refused', refusal: { code: 'invalid-request' } });
    expect(await story.store.ledger.head()).toEqual(head);
    expect(await update('W/"1"')).toMatchObject({ kind: 'accepted', status: 'updated', version: 2 });
    await story.close();
  });
});
