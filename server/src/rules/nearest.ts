import { optimalStringAlignment } from '../matching/comparators/optimal-string-alignment.ts';

/** Edits past which a name is another name, not a misspelling: a third of its length, at least one. */
const reach = (name: string): number => Math.max(1, Math.floor(name.length / 3));

/** The known name that `name` was probably meant to be, whatever its case. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((other) => ({
    other,
    distance: optimalStringAlignment.measure(name.toLowerCase(), other.toLowerCase(), {}),
  }));
  const best = distances.sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= reach(name) ? best.other : undefined;
}
