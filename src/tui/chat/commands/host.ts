/** Commands of sound, and of those who host the meeting. */
import { type Command, type CommandContext, CommandError } from './types.ts';
import { guest, other, person } from './who.ts';
import { splitWords } from './words.ts';

const ALL = 'all';

/** `on`, `off` or what stands when neither is said. */
function onOff(text: string, otherwise: boolean): boolean {
  const word = text.trim().toLowerCase();
  if (word === '') return otherwise;
  if (word !== 'on' && word !== 'off') throw new CommandError(`"${text.trim()}" is neither on nor off.`);
  return word === 'on';
}

/** A command that does one thing to one person. */
function toPerson(
  name: string,
  about: string,
  act: (context: CommandContext, id: string) => Promise<void>,
  said?: (label: string) => string,
): Command {
  return {
    name,
    usage: 'NAME',
    about,
    takes: ['person'],
    hosts: true,
    async run(context, text) {
      const { id, label } = other(context, text);
      await act(context, id);
      if (said) context.notice(said(label), 'good');
    },
  };
}

export const HOST_COMMANDS: readonly Command[] = [
  {
    name: 'mute',
    usage: '[NAME|all]',
    about: 'mute your microphone; as a host that of NAME, or of all',
    takes: ['person'],
    async run(context, text) {
      const { client } = context;
      if (text.trim() === '') {
        await client.setMuted('microphone', true);
        return;
      }
      if (text.trim() === ALL) {
        await client.host.muteAll();
        context.notice('Everybody else is muted.', 'good');
        return;
      }
      const { id } = person(context, text);
      if (id === client.self.id) await client.setMuted('microphone', true);
      else await client.host.mute(id);
    },
  },
  {
    name: 'unmute',
    usage: '[NAME]',
    about: 'unmute your microphone; as a host ask NAME to unmute',
    takes: ['person'],
    async run(context, text) {
      const { client } = context;
      const meant = text.trim() === '' ? client.self : person(context, text);
      if (meant.id === client.self.id) {
        await client.setMuted('microphone', false);
        return;
      }
      await client.host.askToUnmute(meant.id);
      context.notice(`Asked ${context.labels.get(meant.id)} to unmute.`);
    },
  },
  {
    name: 'admit',
    usage: '[NAME|all]',
    about: 'let in who waits',
    takes: ['guest'],
    hosts: true,
    async run(context, text) {
      if (text.trim() === ALL) await context.client.host.admitAll();
      else await context.client.host.admit(guest(context, text).id);
    },
  },
  {
    name: 'deny',
    usage: '[NAME]',
    about: 'send away who waits',
    takes: ['guest'],
    hosts: true,
    async run(context, text) {
      const { id, label } = guest(context, text);
      await context.client.host.deny(id);
      context.notice(`${label} was not let in.`);
    },
  },
  {
    name: 'lock',
    usage: '[off]',
    about: 'let nobody else in, or do again',
    takes: [['on', 'off']],
    hosts: true,
    async run({ client }, text) {
      await client.host.setLocked(onOff(text, true));
    },
  },
  {
    name: 'remove',
    usage: 'NAME [block]',
    about: 'send NAME out of the meeting, with block for good',
    takes: ['person', ['block']],
    hosts: true,
    async run(context, text) {
      const { words } = splitWords(text);
      if (words.length > 2 || (words.length === 2 && words[1] !== 'block'))
        throw new CommandError('A name with spaces stands in quotes: /remove "NAME" [block]');
      const { id, label } = other(context, words[0]);
      await context.client.host.remove(id, { block: words[1] === 'block' });
      context.notice(`Removed ${label}${words[1] === 'block' ? ' and blocked their way back' : ''}.`, 'good');
    },
  },
  {
    name: 'record',
    usage: '[off]',
    about: 'start the recording, or stop it',
    takes: [['on', 'off']],
    hosts: true,
    async run(context, text) {
      const on = onOff(text, true);
      await (on ? context.client.recording.start() : context.client.recording.stop());
      context.notice(on ? 'The recording starts.' : 'The recording stops.', 'good');
    },
  },
  toPerson('lower', 'lower the hand of NAME', ({ client }, id) => client.host.lowerHand(id)),
  toPerson('promote', 'make NAME a co-host', ({ client }, id) => client.host.promote(id)),
  toPerson('demote', 'make the co-host NAME a participant', ({ client }, id) => client.host.demote(id)),
  toPerson('handover', 'make NAME the host', ({ client }, id) => client.host.handOver(id)),
  {
    name: 'reclaim',
    usage: '',
    about: 'be the host again of a meeting that you made',
    takes: [],
    async run({ client }) {
      await client.host.reclaim();
    },
  },
  {
    name: 'sharing',
    usage: 'on|off',
    about: 'let participants share their screens, or not',
    takes: [['on', 'off']],
    hosts: true,
    async run({ client }, text) {
      await client.host.setScreenSharing(onOff(text, !client.meeting.settings.screenSharing));
    },
  },
  toPerson('stopshare', "end the sharing of NAME's screen", ({ client }, id) => client.host.stopShare(id)),
  {
    name: 'screens',
    usage: 'one|several',
    about: 'let one participant share at a time, or several',
    takes: [['one', 'several']],
    hosts: true,
    async run({ client }, text) {
      await client.host.setSeveralScreens(
        text === '' ? !client.meeting.settings.severalScreens : text === 'several',
      );
    },
  },
  {
    name: 'unmuting',
    usage: 'on|off',
    about: 'let participants unmute themselves, or not',
    takes: [['on', 'off']],
    hosts: true,
    async run({ client }, text) {
      await client.host.setUnmuting(onOff(text, !client.meeting.settings.unmuting));
    },
  },
  {
    name: 'end',
    usage: '',
    about: 'end the meeting for everybody',
    takes: [],
    hosts: true,
    async run({ client }) {
      await client.host.end();
    },
  },
];
