import type { AskedAgreement, AskedComparison, Question } from './question.ts';
import type { Records } from './records.ts';
import type { PlanCosts } from './tuning.ts';

/** A posting list to walk: the records of the values that agree, with what a record can gain by being in it. */
export interface Walk {
  readonly asked: AskedAgreement;
  readonly gain: number;
}

/** How the records that may reach the threshold are found, and no record that does is left out. */
export type Plan =
  /**
   * Every such record is in a walked list: one in none of them adds up to `residual` at most, which is below the threshold. A
   * record adds at most `residual` and the gains of its lists.
   */
  | { readonly kind: 'lists'; readonly walks: readonly Walk[]; readonly residual: number; readonly unwalked: readonly Unwalked[] }
  | { readonly kind: 'all' };

/** A comparison that no list was walked for, counted in the residual with the most that it can add. */
export interface Unwalked {
  readonly asked: AskedComparison;
  readonly most: number;
}

/** What a plan is made for. */
export interface Scene {
  readonly question: Question;
  readonly records: Records;
  readonly costs: PlanCosts;
}

export interface Threshold {
  /** Where every score begins. */
  readonly base: number;
  /** Least score that is wanted. */
  readonly least: number;
}

/** How deep into its levels a comparison is walked. */
interface Cut {
  readonly walks: readonly Walk[];
  /** Most that a record can add that is in none of the lists. */
  readonly most: number;
  readonly postings: number;
  /** What finding the lists costs, where they are not known yet. */
  readonly search: number;
}

interface Choice {
  readonly asked: AskedComparison;
  /** From no list at all to every level that is worth one. */
  readonly cuts: readonly Cut[];
}

/** Records that a list not yet known may have: a share of all, as nothing better is known. */
const GUESS = 1 / 100;

const sizeOf = (asked: AskedAgreement, { records }: Scene): number =>
  asked.isListed ? asked.postings : Math.max(64, records.size * GUESS);

const searchCost = ({ agreement, isListed }: AskedAgreement, { records, costs }: Scene): number => {
  if (isListed) return 0;
  const distinct = records.values[agreement.dictionary]?.dictionary.size ?? 0;
  return costs.search + distinct * (agreement.method === 'letters' ? costs.letters : costs.measured);
};

/** Of the agreements that a level asks for, the one with the fewest records: a record of the level is in the list of each. */
function shortest(agreements: readonly AskedAgreement[], scene: Scene): AskedAgreement | undefined {
  let best: AskedAgreement | undefined;
  for (const asked of agreements) {
    if (!asked.isListed && scene.question.isAtHand(asked)) scene.question.list(asked);
    if (best === undefined || sizeOf(asked, scene) < sizeOf(best, scene)) best = asked;
  }
  return best;
}

function cutsOf(asked: AskedComparison, scene: Scene): readonly Cut[] {
  const levels = asked.levels.filter(({ weight }) => weight > asked.floor).sort((x, y) => y.weight - x.weight);
  const cuts: Cut[] = [{ walks: [], most: asked.max, postings: 0, search: 0 }];
  const lists: { readonly asked: AskedAgreement; readonly weight: number }[] = [];
  let [postings, search] = [0, 0];
  for (const [place, { agreements, weight }] of levels.entries()) {
    const list = shortest(agreements, scene);
    if (list === undefined || list.postings === Infinity) break;
    lists.push({ asked: list, weight });
    postings += sizeOf(list, scene);
    search += searchCost(list, scene);
    const most = levels[place + 1]?.weight ?? asked.floor;
    if (most === weight) continue;
    const walks = lists.map((one) => ({ asked: one.asked, gain: one.weight - most }));
    cuts.push({ walks, most, postings, search });
  }
  return cuts;
}

/** What a choice of cuts costs: a record of a list that reaches the threshold by itself is judged whatever else it is in. */
function costOf(cuts: readonly Cut[], needed: number, scene: Scene): number {
  const { costs } = scene;
  let cost = 0;
  for (const { walks, postings, search } of cuts) {
    cost += search + postings * costs.posting;
    for (const { asked, gain } of walks) if (gain >= needed) cost += sizeOf(asked, scene) * costs.record;
  }
  return cost;
}

/** The cheapest choice of cuts whose residual is below `least`, found by trying them; undefined where there is none. */
function cheapest(choices: readonly Choice[], { base, least }: Threshold, scene: Scene): readonly Cut[] | undefined {
  const { costs, records } = scene;
  /** Least that the comparisons from a place on can leave in the residual. */
  const lowest = choices.map(() => 0);
  for (let place = choices.length - 1; place >= 0; place--) {
    lowest[place] = (lowest[place + 1] ?? 0) + (choices[place]?.cuts.at(-1)?.most ?? 0);
  }
  const chosen: Cut[] = [];
  let best: readonly Cut[] | undefined;
  let bestCost = Infinity;
  const choose = (place: number, residual: number, cost: number): void => {
    if (cost >= bestCost || residual + (lowest[place] ?? 0) >= least) return;
    const choice = choices[place];
    if (choice === undefined) {
      const whole = costOf(chosen, least - residual, scene);
      if (whole < bestCost) [best, bestCost] = [[...chosen], whole];
      return;
    }
    for (const cut of choice.cuts) {
      chosen.push(cut);
      choose(place + 1, residual + cut.most, cost + cut.search + cut.postings * costs.posting);
      chosen.pop();
    }
  };
  choose(0, base, 0);
  return bestCost < records.size * costs.walked ? best : undefined;
}

/**
 * Plans the retrieval of every record that may reach `least` under a rule that begins at `base`: MaxScore over sets (H. Turtle, J.
 * Flood, 1995). Comparisons whose greatest contributions together stay below the threshold are never walked; of the sets
 * of lists that leave such a residual the cheapest is taken. Lists that it needs and that are not known yet are found, and the
 * plan is made again with what they turned out to be.
 */
export function makePlan(scene: Scene, rule: number, threshold: Threshold): Plan {
  const { question } = scene;
  const asked = question.rules[rule]?.comparisons ?? [];
  for (;;) {
    const choices = asked.map((one) => ({ asked: one, cuts: cutsOf(one, scene) }));
    const cuts = cheapest(choices, threshold, scene);
    if (cuts === undefined) return { kind: 'all' };
    const unknown = cuts.flatMap(({ walks }) => walks.map((walk) => walk.asked)).filter(({ isListed }) => !isListed);
    if (unknown.length === 0) {
      return {
        kind: 'lists',
        walks: cuts.flatMap(({ walks }) => walks),
        residual: cuts.reduce((sum, { most }) => sum + most, threshold.base),
        unwalked: cuts.flatMap(({ walks, most }, place) => {
          const one = asked[place];
          return walks.length === 0 && one ? [{ asked: one, most }] : [];
        }),
      };
    }
    for (const one of unknown) question.list(one);
  }
}
