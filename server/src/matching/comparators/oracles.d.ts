// Oracles of the tests that come without types.
declare module 'talisman/metrics/damerau-levenshtein.js' {
  /** Optimal string alignment, in spite of its name: CA to ABC is 3. */
  const distance: (a: string, b: string) => number;
  export default distance;
}
declare module 'talisman/phonetics/soundex.js' {
  const soundex: (name: string) => string;
  export default soundex;
}
declare module 'jaro-winkler' {
  const similarity: (a: string, b: string) => number;
  export default similarity;
}
