import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { soundsIn, soundsOf } from './sounds.ts';

const alike = (a: string, b: string): boolean => soundsOf(a).some((code) => soundsOf(b).includes(code));

describe('names sound alike', () => {
  it.each([
    ['Smith', 'Smyth'],
    ['Stephen', 'Steven'],
    ['Catherine', 'Kathryn'],
    ['Ökello', 'okelo'],
    ['Muhammad', 'Mohamed'],
    ['O’Brien', 'OBrien'],
    // By the second code of the one.
    ['Schmidt', 'Smith'],
  ])('%s as %s', (a, b) => {
    expect(alike(a, b)).toBe(true);
  });

  it.each([
    ['Smith', 'Jones'],
    ['Anna', 'Bosco'],
    ['አና', 'አና'],
    ['Анна', 'Анна'],
    ['Анна Anna', 'Anna'],
    ['12', '12'],
    ['', ''],
  ])('%s not as %s', (a, b) => {
    expect(alike(a, b)).toBe(false);
  });

  it('a text holds the sounds of its words, and none that is empty, whatever it is', () => {
    expect(soundsIn('Anna-Maria van der Berg')).toEqual(expect.arrayContaining([...soundsOf('Anna'), ...soundsOf('Berg')]));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !soundsIn(text).includes('')));
  });
});
