import { isObject } from '../rules/json.ts';

/** Keys of OpenCR 1.x that change nothing here, and why. */
const RETIRED: readonly (readonly [path: string, why: string])[] = [
  ['app.installed', 'nothing has to be loaded before the first start'],
  ['auth.secret', 'no token is signed with a secret from a file'],
  ['auth.tokenDuration', 'there are no user tokens yet'],
  ['mediator.api', 'there is no OpenHIM mediator yet'],
  ['cronJobs', 'a record is matched again when it is touched, not by the clock'],
  ['fhirServer', 'records are kept in the embedded store'],
  ['elastic', 'candidates are found in process'],
  ['matching.tool', 'candidates are found in process, and the decision rules alone say how records are compared'],
  ['matching.autoMatchPatientWithHumanAdjudTag', "a person's decision always stands"],
  ['matching.resolvePotentialOfPotentials', 'there is no score matrix yet'],
  ['structureDefinition', 'the decision rules alone say what is indexed'],
  ['sync', 'the index follows the ledger'],
];

const has = (document: unknown, path: string): boolean => {
  const [key = '', ...rest] = path.split('.');
  if (!isObject(document) || !Object.hasOwn(document, key)) return false;
  return rest.length === 0 || has(document[key], rest.join('.'));
};

export const retiredWarnings = (document: unknown): readonly string[] =>
  RETIRED.filter(([path]) => has(document, path)).map(([path, why]) => `${path}: has no effect: ${why}`);

const OPENCR_1X_KEYS = ['app.installed', 'auth', 'mediator', 'cronJobs', 'fhirServer', 'elastic', 'structureDefinition', 'sync'];

/** Whether a file was written for OpenCR 1.x: it has a key that only those files have. */
export const isOpencr1 = (document: unknown): boolean => OPENCR_1X_KEYS.some((path) => has(document, path));
