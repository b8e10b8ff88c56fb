/** The list of participants, a line each. */
import type { Person } from '../chat/people.ts';
import type { Quality } from '../chat/quality.ts';
import { drawable, type EmojiSupport } from '../text/emoji.ts';
import { fill } from '../text/width.ts';
import { type Line, type Segment, segment } from './line.ts';

/** Columns of the level meter. */
const METER_COLUMNS = 3;
const METER = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
const STEPS = METER.length - 1;
const QUALITY: Readonly<Record<Quality, string>> = { 0: '×  ', 1: '▂  ', 2: '▂▄ ', 3: '▂▄▆' };
/** Microphone, camera, screen and hand, the meter and the quality, with blanks between them. */
const MARKS_COLUMNS = 4 + 1 + METER_COLUMNS + 1 + 3;

export interface PeopleView {
  readonly columns: number;
  readonly rows: number;
  /** How many are scrolled past. */
  readonly offset: number;
  readonly emoji: EmojiSupport;
}

/** The heading and as many people as fit; the last line says how many there are beyond. */
export function peopleLines(people: readonly Person[], view: PeopleView): Line[] {
  const { columns, rows, emoji } = view;
  if (rows <= 0) return [];
  const room = rows - 1;
  const offset = Math.max(0, Math.min(view.offset, people.length - room));
  const hidden = people.length - room;
  const shown = people.slice(offset, offset + (hidden > 0 ? room - 1 : room));
  const after = people.length - offset - shown.length;
  const heading = `People (${people.length})`;
  return [
    [segment(fill(heading, columns - MARKS_COLUMNS), 'bold'), segment('MCSH vol net', 'dim')],
    ...shown.map((person) => personLine(person, columns, emoji)),
    ...(hidden > 0 ? [[segment(fill(moreText(offset, after), columns), 'dim')]] : []),
  ];
}

function moreText(before: number, after: number): string {
  return [...(before > 0 ? [`${before} above`] : []), ...(after > 0 ? [`${after} more`] : [])].join(', ');
}

function personLine(person: Person, columns: number, emoji: EmojiSupport): Line {
  const role = person.role === 'host' ? '★' : person.role === 'co-host' ? '☆' : ' ';
  const name = `${role}${drawable(person.label, emoji)}${person.self ? ' (you)' : ''}`;
  return [
    segment(
      `${fill(name, columns - MARKS_COLUMNS - 1)} `,
      person.speaking ? 'live' : person.self ? 'own-name' : 'name',
    ),
    microphone(person),
    mark(person.camera, 'C', 'good'),
    mark(person.screen, 'S', 'good'),
    mark(person.hand !== undefined, 'H', 'warning'),
    segment(' '),
    segment(meter(person.level), 'live'),
    segment(' '),
    person.quality === undefined
      ? segment('   ')
      : segment(
          QUALITY[person.quality],
          person.quality === 3 ? 'good' : person.quality === 2 ? 'warning' : 'bad',
        ),
  ];
}

function microphone({ microphone: state, speaking }: Person): Segment {
  if (state === 'none') return segment('-', 'dim');
  if (state === 'muted') return segment('x', 'bad');
  return segment('M', speaking ? 'live' : 'good');
}

const mark = (on: boolean, letter: string, style: 'good' | 'warning'): Segment =>
  on ? segment(letter, style) : segment('-', 'dim');

/** A bar of so many columns, in eighths of one. */
function meter(level: number): string {
  const steps = Math.round(level * METER_COLUMNS * STEPS);
  return Array.from(
    { length: METER_COLUMNS },
    (_, column) => METER[Math.max(0, Math.min(STEPS, steps - column * STEPS))]!,
  ).join('');
}
