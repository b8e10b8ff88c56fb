import { expect, test } from 'vitest';
import { viewOf } from '../../../src/cli/join/view.ts';

test('without any of the options everything is received', () => {
  expect(viewOf({})).toEqual({});
});

test('pages count from 1 for people', () => {
  expect(viewOf({ page: 2, pin: 'Alice' })).toEqual({ view: { layout: 'gallery', page: 1, pin: 'Alice' } });
  expect(viewOf({ layout: 'speaker', maxHeight: 360 })).toEqual({
    view: { layout: 'speaker', maxHeight: 360 },
  });
});
