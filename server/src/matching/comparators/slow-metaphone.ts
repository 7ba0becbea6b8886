const isOneOf = (letters: string, letter: string): boolean => letter !== '' && letters.includes(letter);
const isVowel = (letter: string): boolean => isOneOf('aeiou', letter);

/** What each letter sounds like that sounds alike everywhere. */
const PLAIN: Readonly<Record<string, string>> = { f: 'F', j: 'J', l: 'L', m: 'M', n: 'N', q: 'K', r: 'R', v: 'F', z: 'S' };

/** Philips' table of 1990 of letters a to z as a walk from letter to letter, looking around: the oracle of `metaphone.ts`. */
export const slowMetaphone = (name: string): string => {
  let word = '';
  for (const letter of name) if (letter !== word.at(-1) || isOneOf('cg', letter)) word += letter;
  if (isOneOf('gkp', word.charAt(0)) && word.charAt(1) === 'n') word = word.slice(1);
  else if (word.startsWith('ae') || word.startsWith('wr')) word = word.slice(1);
  else if (word.startsWith('wh')) word = 'W' + word.slice(2);
  else if (word.startsWith('x')) word = 'S' + word.slice(1);
  let code = '';
  let skip = 0;
  for (let i = 0; i < word.length; i++) {
    if (skip-- > 0) continue;
    skip = 0;
    const letter = word.charAt(i);
    const [before, next, afterNext] = [word.charAt(i - 1), word.charAt(i + 1), word.charAt(i + 2)];
    const isFront = isOneOf('eiy', next);
    const isSh = next === 'i' && isOneOf('ao', afterNext);
    const say = (sound: string, swallowed = 0): void => {
      code += sound;
      skip = swallowed;
    };
    if (letter === 'W' || letter === 'S') say(letter);
    else if (isVowel(letter)) say(i === 0 ? letter.toUpperCase() : '');
    else if (letter === 'b') say(before === 'm' && next === '' ? '' : 'B');
    else if (letter === 'c') {
      if (next === 'i' && afterNext === 'a') say('X');
      else if (next === 'h') say(before === 's' ? 'K' : 'X', 1);
      else if (isFront) say(before === 's' ? '' : 'S');
      else say('K');
    } else if (letter === 'd') {
      if (next === 'g' && isOneOf('eiy', afterNext)) say('J', 1);
      else say('T');
    } else if (letter === 'g') {
      if (next === 'g') say('K', 1);
      else if (next === 'h') say(afterNext === '' || isVowel(afterNext) ? 'K' : '', 1);
      else if (['n', 'ned'].includes(word.slice(i + 1))) say('');
      else say(isFront ? 'J' : 'K');
    } else if (letter === 'h') say(before === 'g' || (isVowel(before) && !isVowel(next)) ? '' : 'H');
    else if (letter === 'k') say(before === 'c' ? '' : 'K');
    else if (letter === 'p') say(next === 'h' ? 'F' : 'P', next === 'h' ? 1 : 0);
    else if (letter === 's') say(next === 'h' || isSh ? 'X' : 'S', next === 'h' ? 1 : 0);
    else if (letter === 't') {
      if (isSh) say('X');
      else if (next === 'h') say('0', 1);
      else say(next === 'c' && afterNext === 'h' ? '' : 'T');
    } else if (letter === 'w' || letter === 'y') say(isVowel(next) ? letter.toUpperCase() : '');
    else if (letter === 'x') say('KS');
    else say(PLAIN[letter] ?? '');
  }
  return code;
};
