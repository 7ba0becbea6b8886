/** Names of one domain of identifiers, several. */
export type Domain = readonly string[];

const LITERAL = /\bsystem\s*=\s*'(?<system>[^'\\]*)'|'(?:[^'\\]|\\.)*'/g;

/**
 * A FHIRPath expression in which `system = 'X'` holds for every name of the domain of X. A path that compares with one name
 * finds identifiers that were stated under another; the order of names in the configuration is nothing to it.
 */
export const inEveryName = (path: string, domains: readonly Domain[]): string =>
  path.replace(LITERAL, (found, system: string | undefined) => {
    const names = system === undefined ? undefined : domains.find((domain) => domain.includes(system));
    return names
      ? `(${[...names]
          .sort()
          .map((name) => `system='${name}'`)
          .join(' or ')})`
      : found;
  });
