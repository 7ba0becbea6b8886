import { describe, expect, it } from 'vitest';
import { createAttempts, networkOf } from './attempts.ts';

const MINUTE = 60_000;
const QUARTER = 15 * 60;

const open = () => {
  let now = 1_000_000;
  const attempts = createAttempts(() => now);
  return {
    ...attempts,
    pass: (ms: number) => (now += ms),
    fail: (client: string, address: string, times = 1) => {
      for (let n = 0; n < times; n += 1) attempts.begin(client, address);
    },
    enter: (client: string, address: string) => {
      attempts.begin(client, address);
      attempts.succeed(client, address);
    },
  };
};

describe('failed logins', () => {
  it('hold up a client at one peer from the fifth on, until the quarter of an hour is over', () => {
    const door = open();
    door.fail('openmrs', '192.0.2.1', 4);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(0);
    door.fail('openmrs', '192.0.2.1');
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(QUARTER);
    expect([door.heldUp('openmrs', '192.0.2.2'), door.heldUp('dhis2', '192.0.2.1')]).toEqual([0, 0]);
    door.pass(5 * MINUTE);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(QUARTER - 5 * 60);
    door.pass(10 * MINUTE);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(0);
  });

  it('are forgotten when the client gets in, but not those of others from that peer', () => {
    const door = open();
    door.fail('openmrs', '192.0.2.1', 4);
    door.enter('openmrs', '192.0.2.1');
    door.fail('openmrs', '192.0.2.1', 4);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(0);
  });

  it('of one peer at many clients hold it up, but for clients that got in from there', () => {
    const door = open();
    door.enter('openmrs', '192.0.2.1');
    for (let n = 0; n < 20; n += 1) door.fail(`client-${n}`, '192.0.2.1');
    expect(door.heldUp('another', '192.0.2.1')).toBe(QUARTER);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(0);
    expect(door.heldUp('another', '192.0.2.2')).toBe(0);
  });

  it('of many peers at one client hold up all but those from which it got in within a day', () => {
    const door = open();
    door.enter('openmrs', '192.0.2.1');
    for (let n = 0; n < 50; n += 1) door.fail('openmrs', `198.51.100.${n}`);
    expect(door.heldUp('openmrs', '203.0.113.1')).toBe(QUARTER);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(0);
    door.pass(24 * 60 * MINUTE);
    for (let n = 0; n < 50; n += 1) door.fail('openmrs', `198.51.100.${n}`);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(QUARTER);
  });

  it('that were none count for nothing', () => {
    const door = open();
    for (let n = 0; n < 100; n += 1) {
      door.begin('openmrs', '192.0.2.1');
      door.takeBack('openmrs', '192.0.2.1');
    }
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(0);
  });

  it('are forgotten, the oldest first, when there are too many to keep', () => {
    const door = open();
    door.fail('openmrs', '192.0.2.1', 5);
    for (let n = 0; n < 30_000; n += 1) door.fail(`name-${n}`, `10.${n & 255}.${n >> 8}.1`);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(QUARTER);
    for (let n = 30_000; n < 40_000; n += 1) door.fail(`name-${n}`, `10.${n & 255}.${n >> 8}.1`);
    expect(door.heldUp('openmrs', '192.0.2.1')).toBe(0);
  });
});

describe('the network of a peer', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
