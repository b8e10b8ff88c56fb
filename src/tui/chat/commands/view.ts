/** Commands about what is shown. */
import { guestsOf } from '../people.ts';
import { type Command, type CommandContext, CommandError, type VideoLayout } from './types.ts';
import { other } from './who.ts';
import { splitWords } from './words.ts';

/** What keys do beyond typing; help ends with it. */
const KEYS = [
  'Tab completes names, commands and files; Up and Down go through what you wrote.',
  'Alt-Enter or Ctrl-J begins a new line; PageUp and PageDown scroll the messages,',
  'Alt-Up and Alt-Down the people; Ctrl-G lets in who waits longest; Ctrl-L redraws; Ctrl-D leaves.',
];

const LAYOUTS: readonly VideoLayout[] = ['speaker', 'gallery', 'off'];

export const VIEW_COMMANDS: readonly Command[] = [
  {
    name: 'layout',
    usage: 'speaker|gallery|off',
    about: 'show the active speaker, four pictures, or none',
    takes: [LAYOUTS],
    run(context, text) {
      const layout = LAYOUTS.find((name) => name === text.trim().toLowerCase());
      if (layout === undefined) throw new CommandError('Which layout? /layout speaker, gallery or off');
      withVideo(context).setLayout(layout);
    },
  },
  {
    name: 'pin',
    usage: 'NAME|off',
    about: 'keep the picture of NAME',
    takes: ['person'],
    run(context, text) {
      const video = withVideo(context);
      if (text.trim() === 'off' || text.trim() === '') video.setPin(undefined);
      else video.setPin(other(context, text).id);
    },
  },
  {
    name: 'stats',
    usage: '',
    about: 'show the figures of each stream, or hide them',
    takes: [],
    run: (context) => context.toggleStats(),
  },
  {
    name: 'who',
    usage: '[TEXT]',
    about: 'list everybody whose name has TEXT in it',
    takes: [],
    run: (context, text) => context.notice(who(context, text)),
  },
  {
    name: 'help',
    usage: '[COMMAND]',
    about: 'list the commands',
    takes: ['command'],
    run(context, text) {
      const wanted = splitWords(text).words[0]?.replace(/^\//, '');
      const commands = context.commands.filter(({ name }) => wanted === undefined || name === wanted);
      if (commands.length === 0) throw new CommandError(`There is no command /${wanted}.`);
      const lines = commands.map(({ name, usage, about }) => `/${`${name} ${usage}`.trim()}: ${about}`);
      context.notice(wanted === undefined ? [...lines, ...KEYS] : lines);
    },
  },
  {
    name: 'quit',
    usage: '',
    about: 'leave the meeting',
    takes: [],
    run: (context) => context.quit(),
  },
];

function withVideo({ video }: CommandContext): NonNullable<CommandContext['video']> {
  if (video === undefined)
    throw new CommandError('Pictures are not shown; start `meet chat` with --video, in a terminal.');
  return video;
}

function who({ client, labels }: CommandContext, text: string): string[] {
  const wanted = text.trim().toLowerCase();
  const here = [...client.participants.values()].filter(
    ({ id, state }) => state !== 'waiting' && (labels.get(id) ?? '').toLowerCase().includes(wanted),
  );
  const lines = here.map((participant) => {
    const has = (source: string) =>
      participant.tracks.find((track) => track.source === source && !track.muted) !== undefined;
    const microphone = participant.tracks.find(({ source }) => source === 'microphone');
    return [
      labels.get(participant.id) ?? participant.id,
      ...(participant.id === client.self.id ? ['you'] : []),
      ...(participant.role === 'participant' ? [] : [participant.role]),
      ...(microphone === undefined ? [] : [microphone.muted ? 'muted' : 'microphone']),
      ...(has('camera') ? ['camera'] : []),
      ...(has('screen') ? ['screen'] : []),
      ...(participant.hand === null ? [] : ['hand raised']),
      ...(client.speakers.includes(participant.id) ? ['speaking'] : []),
      ...(participant.state === 'reconnecting' ? ['reconnecting'] : []),
    ].join(', ');
  });
  const waiting = guestsOf(client.participants.values(), labels).map(({ label }) => label);
  return [
    `${here.length} here${wanted === '' ? '' : ` with "${text.trim()}"`}:`,
    ...lines.map((line) => `  ${line}`),
    ...(waiting.length > 0 ? [`Waiting: ${waiting.join(', ')}`] : []),
  ];
}
