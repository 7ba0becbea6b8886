import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { componentOf } from './components.ts';

type Edges = readonly (readonly [number, number])[];

const neighboursIn = (edges: Edges) => async (record: number) =>
  edges.flatMap(([a, b]) => (a === record ? [b] : b === record ? [a] : []));

const edges = fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 14 });

/** Smallest record that each is tied to: spread along the edges until nothing changes. */
function smallest(all: Edges): readonly number[] {
  const found = Array.from({ length: 12 }, (_, record) => record);
  for (const _ of found) for (const [a, b] of all) found[a] = found[b] = Math.min(found[a]!, found[b]!);
  return found;
}

describe('the component of a record', () => {
  it('is everyone whom pairs reach from it, and the same from each of its members', async () => {
    await fc.assert(
      fc.asyncProperty(edges, fc.nat(11), async (all, start) => {
        const { members, complete } = await componentOf([start], neighboursIn(all), 12);
        const label = smallest(all);
        expect(complete).toBe(true);
        expect(members.toSorted((x, y) => x - y)).toEqual(label.flatMap((one, record) => (one === label[start] ? [record] : [])));
      }),
    );
  });

  it('over the limit is said to be incomplete from whichever member it is looked at', async () => {
    await fc.assert(
      fc.asyncProperty(edges, fc.nat(11), fc.integer({ min: 1, max: 12 }), async (all, start, limit) => {
        const whole = (await componentOf([start], neighboursIn(all), 12)).members;
        const { members, complete } = await componentOf([start], neighboursIn(all), limit);
        expect(complete).toBe(whole.length <= limit);
        expect(members).toEqual(whole.slice(0, limit + 1));
      }),
    );
  });

  it('is not read further than the limit asks', async () => {
    const asked: number[] = [];
    const line = async (record: number) => (asked.push(record), [record + 1]);
    expect(await componentOf([0], line, 3)).toEqual({ members: [0, 1, 2, 3], complete: false });
    expect(asked).toEqual([0, 1, 2]);
  });
});
