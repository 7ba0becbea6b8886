/** Stories and laws of CRUID continuity. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, type Partition, World, worldOf } from './continuity.fixture.ts';
import { assignCruids } from './continuity.ts';

describe('the CRUID is continuity', () => {
  it('gives a new record a new CRUID, and a record that joins a group its CRUID', () => {
    const world = worldOf([1]);
    expect(world.regroup([[1, 2], [3]])).toEqual([1, 2]);
  });

  it('of two groups that join the CRUID of most records survives, and the other resolves to it', () => {
    const world = worldOf([1], [2, 3]);
    expect(world.regroup([[1, 2, 3]])).toEqual([2]);
    expect(world.target(1)).toBe(2);
  });

  it('of two groups as large the oldest CRUID survives', () => {
    expect(worldOf([2], [1]).regroup([[1, 2]])).toEqual([1]);
  });

  it('gives each person its own CRUID again when a wrong join is broken', () => {
    for (const groups of [
      [[1], [2]],
      [[2], [1]],
      [[1], [2, 3, 4]],
      [[4, 5], [1, 2], [3]],
    ]) {
      for (const updated of [null, 1, 2]) {
        const world = worldOf(...groups);
        world.regroup([groups.flat()], updated);
        expect(world.regroup(groups)).toEqual(groups.map((_, index) => index + 1));
      }
    }
  });

  it('gives each its own CRUID again when a "same" decision that joined the larger group to the smaller is taken back', () => {
    const world = worldOf([5], [1, 2, 3]);
    world.decisions = [{ a: 1, b: 5, golden: 1 }];
    expect(world.regroup([[1, 2, 3, 5]])).toEqual([1]);
    world.decisions = [];
    expect(world.regroup([[1, 2, 3], [5]])).toEqual([2, 1]);
  });

  it('undoes three-way joins in any order', () => {
    const world = worldOf([3], [1], [2]);
    expect(world.regroup([[1, 3], [2]])).toEqual([1, 3]);
    expect(world.regroup([[1, 2, 3]])).toEqual([1]);
    expect([2, 3].map((golden) => world.target(golden))).toEqual([1, 1]);
    expect(world.regroup([[1, 2], [3]]), 'the last join is undone first').toEqual([3, 1]);
    expect(world.target(2)).toBe(3);
    expect(world.regroup([[2], [1, 3]])).toEqual([3, 1]);
    expect(world.target(2)).toBe(1);
    expect(world.regroup([[2], [1], [3]])).toEqual([3, 2, 1]);
  });

  it('lets an update leave its group with a new CRUID, and return', () => {
    const world = worldOf([1, 2]);
    expect(world.regroup([[1], [2]], 1)).toEqual([2, 1]);
    expect(world.regroup([[1, 2]], 1)).toEqual([1]);
    expect(world.target(2)).toBe(1);
    expect(world.regroup([[1], [2]], 1)).toEqual([2, 1]);
  });

  it('leaves the CRUID to the others when a record moves alone, also when these had been joined to it one by one', () => {
    const world = worldOf([1], [2], [3], [4], [5]);
    world.regroup([[1, 2, 3, 4, 5]]);
    expect(world.regroup([[1], [2, 3, 4, 5]], 1)).toEqual([6, 1]);
    expect([2, 3, 4, 5].map((golden) => world.target(golden))).toEqual([1, 1, 1, 1]);
  });

  it('does not count the record just updated when two groups join', () => {
    expect(worldOf([1], [2]).regroup([[1, 2]], 1)).toEqual([2]);
  });

  it('a CRUID stays with a decision made on it, against any numbers', () => {
    const world = worldOf([1, 2, 3, 4, 5]);
    world.decisions = [{ a: 4, b: 5, golden: 1 }];
    expect(
      world.regroup([
        [1, 2, 3],
        [4, 5],
      ]),
    ).toEqual([2, 1]);
    expect(world.regroup([[1, 2, 3, 4, 5]])).toEqual([1]);
  });

  it('a decision made on a CRUID that its records have left counts for nothing', () => {
    const world = worldOf([1, 2, 3, 4]);
    world.decisions = [
      { a: 1, b: 2, golden: 1 },
      { a: 3, b: 4, golden: 1 },
    ];
    world.regroup([
      [1, 2],
      [3, 4],
    ]);
    world.decisions = [{ a: 3, b: 4, golden: 1 }];
    expect(
      world.regroup([
        [1, 2],
        [3, 4],
      ]),
    ).toEqual([1, 2]);
  });

  it('of a group split in halves the one with the oldest record keeps the CRUID', () => {
    expect(worldOf([1, 2]).regroup([[2], [1]])).toEqual([2, 1]);
  });

  it('a group left without one takes back the CRUID that most of its records had, not the last retired', () => {
    const world = worldOf([1, 5, 6, 7], [3, 4], [2]);
    world.regroup([[1, 3, 4, 5, 6, 7]]);
    world.regroup([[1, 2, 3, 4, 5, 6, 7]]);
    expect(
      world.regroup([
        [2, 3, 4],
        [1, 5, 6, 7],
      ]),
    ).toEqual([2, 1]);
    expect(world.target(3)).toBe(2);
  });

  it('a CRUID that does not survive in the group it goes to stays with most of its records', () => {
    const world = worldOf([1, 2], [3, 4, 5], [6, 7, 8]);
    world.regroup([[1, 2, 3, 4, 5]]);
    expect(world.regroup([[1, 2], [3, 6, 7, 8], [4], [5]])).toEqual([2, 3, 4, 5]);
    expect(world.target(1)).toBe(2);
  });

  it('never retires a CRUID that records outside the pool have, nor links anybody new to them', () => {
    const world = worldOf([1, 2, 3], [4]);
    const { goldens, retire } = assignCruids(world.past([[1, 2, 4]], null));
    expect([goldens, retire]).toEqual([[2], []]);
    expect(assignCruids(world.past([[1], [4]], 1)).goldens, 'alone it keeps what it has').toEqual([1, 2]);
    expect(assignCruids(world.past([[1, 5]], 5)).goldens).toEqual(['new']);
  });

  it('a retired CRUID leads to most of its records, inside and outside the pool counted together', () => {
    const world = worldOf([4, 5, 6, 7], [1, 2, 3], [8, 9]);
    world.regroup([[1, 2, 3, 4, 5, 6, 7]]);
    world.regroup([
      [1, 4, 5, 6, 7],
      [2, 3, 8, 9],
    ]);
    const { retire } = assignCruids(world.past([[1, 4, 5, 6, 7], [2]], null));
    expect(retire).toEqual([{ golden: 2, replacedBy: { golden: 3 } }]);
  });
});

const RECORDS = [1, 2, 3, 4, 5, 6, 7, 8];
const labels = fc.array(fc.nat(3), { minLength: RECORDS.length, maxLength: RECORDS.length });
const event = fc.record({
  touched: fc.subarray(RECORDS, { minLength: 1 }),
  labels,
  updated: fc.option(fc.constantFrom(...RECORDS)),
  decide: fc.option(fc.tuple(fc.constantFrom(...RECORDS), fc.constantFrom(...RECORDS)), { freq: 3 }),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** The groups that an event makes of the touched records and of everyone who shares a CRUID with one of them. */
function groupsOf(world: World, { touched, labels: label }: Event): Partition {
  const reached = new Set([
    ...touched,
    ...world.partition().flatMap((group) => (group.some((one) => touched.includes(one)) ? group : [])),
  ]);
  return [...Map.groupBy(reached, (record) => label[record - 1]).values()];
}

/** Decisions whose records are parted were taken back first; a new one is made on the CRUID of its first record. */
function decide(world: World, groups: Partition, pair: Event['decide']): void {
  const golden = pair === null ? undefined : world.holder(pair[0]);
  const made =
    pair === null || golden === undefined || pair[0] === pair[1] ? [] : [{ a: Math.min(...pair), b: Math.max(...pair), golden }];
  const parted = ({ a, b }: Decision): boolean => groups.some((group) => group.includes(a) !== group.includes(b));
  world.decisions = [...world.decisions, ...made].filter((decision) => !parted(decision));
}

type Step = (world: World, groups: Partition, updated: number | null) => void;
const regroup: Step = (world, groups, updated) => void world.regroup(groups, updated);

function after(history: readonly Event[], step = regroup): World {
  const world = new World();
  for (const one of history) {
    const groups = groupsOf(world, one);
    decide(world, groups, one.decide);
    step(world, groups, one.updated);
  }
  return world;
}

const histories = fc.array(event, { minLength: 1, maxLength: 12 });
const anyone = fc.constantFrom(null, ...RECORDS);

/** Everybody's CRUID, and where each CRUID ever given leads. */
const snapshot = (world: World) => ({
  records: RECORDS.map((record) => world.holder(record)),
  cruids: [...world.goldens.keys()].map((golden) => world.target(golden)),
});

describe('in any history', () => {
  const RUNS = { numRuns: 400 };

  it('a CRUID once given leads, in one step, to one in force that holds most of its last records', () => {
    const check: Step = (world, groups, updated) => {
      world.regroup(groups, updated);
      for (const golden of world.goldens.keys()) {
        const target = world.target(golden)!;
        expect(world.goldens.get(target)?.retiredAt, `${golden} → ${target}`).toBeNull();
        const places = world.lastHolders(golden).map((record) => world.holder(record));
        const count = (place: number | undefined): number => places.filter((one) => one === place).length;
        expect(count(target)).toBe(Math.max(...places.map(count)));
      }
    };
    fc.assert(
      fc.property(histories, (history) => void after(history, check)),
      RUNS,
    );
  });

  it('each group has one CRUID of its own: one that some of its records had last, and a new one only where none leads to it', () => {
    const check: Step = (world, groups, updated) => {
      const had = new Map([...world.goldens.keys()].map((golden) => [golden, world.lastHolders(golden)]));
      const given = world.regroup(groups, updated);
      expect(new Set(given).size).toBe(groups.length);
      for (const [index, golden] of given.entries()) {
        const last = had.get(golden);
        if (last) expect(groups[index]!.some((record) => last.includes(record))).toBe(true);
        else expect([...had.keys()].map((one) => world.target(one))).not.toContain(golden);
      }
    };
    fc.assert(
      fc.property(histories, (history) => void after(history, check)),
      RUNS,
    );
  });

  it('grouping everybody as they are changes nothing, whoever was just updated', () => {
    fc.assert(
      fc.property(histories, anyone, (history, updated) => {
        const world = after(history);
        const before = snapshot(world);
        world.regroup(world.partition(), updated);
        expect(snapshot(world)).toEqual(before);
      }),
      RUNS,
    );
  });

  it('joining everybody and parting them again gives each group, and each old CRUID, its place again', () => {
    fc.assert(
      fc.property(histories, anyone, anyone, (history, first, second) => {
        const world = after(history);
        // A decision on a CRUID that its records have left since would claim it when they come back to it.
        world.decisions = world.decisions.filter(({ a, golden }) => world.holder(a) === golden);
        const [before, partition] = [snapshot(world), world.partition()];
        world.regroup([partition.flat()], first);
        world.regroup(partition, second);
        expect(snapshot(world)).toEqual(before);
      }),
      RUNS,
    );
  });
});
