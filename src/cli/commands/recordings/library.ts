import { Argument, type Command, Option } from 'commander';
import type { AccessScope } from '../../../protocol/recording.ts';
import type { OutputOptions } from '../../context.ts';
import { hostTokenOption } from '../../meeting-options.ts';
import { parseList, parseTtl } from '../../parse.ts';
import type { Registry } from '../../program.ts';
import type { RecordingsOptions } from '../../recordings/address.ts';
import { serverOption } from '../../server-option.ts';
import { SCOPES } from '../recording.ts';

export interface UrlRecordingOptions extends RecordingsOptions, OutputOptions {
  readonly file?: string;
  /** Milliseconds. */
  readonly expires?: number;
  readonly download?: boolean;
}

export interface AccessRecordingOptions extends RecordingsOptions, OutputOptions {
  readonly scope?: AccessScope;
  readonly user?: readonly string[];
  readonly newLink?: boolean;
}

type Options = RecordingsOptions & OutputOptions;

/** Where recordings are looked for: on a server unless there is a folder. */
function addPlace(command: Command): Command {
  return command
    .addOption(serverOption())
    .addOption(hostTokenOption('token of a host, or another one that may see the recording'))
    .addOption(new Option('--dir <folder>', 'recordings in this folder, without a server'));
}

function addRecording(command: Command): Command {
  return addPlace(command.argument('<recording>', 'its id, or its URL')).addOption(
    new Option('--link <secret>', "secret of the recording's link"),
  );
}

/** What was recorded is found, opened, shared and deleted. */
export function registerLibrary({ command, action }: Registry): void {
  const list = addPlace(
    command('list', 'list the recordings of a meeting, or those in a folder').argument(
      '[meeting]',
      "the meeting's URL, or its id on the server",
    ),
  );
  action<Options>(list, async (deps, options, [meeting]) => {
    const { runList } = await import('../../recordings/library.ts');
    return await runList(deps, meeting, options);
  });

  const show = addRecording(command('show', 'tell all about a recording'));
  action<Options>(show, async (deps, options, [recording = '']) => {
    const { runShow } = await import('../../recordings/library.ts');
    return await runShow(deps, recording, options);
  });

  const url = addRecording(command('url', 'print a URL of a recording that is good for some time'))
    .addOption(new Option('--file <name>', 'one of its files (default: the recording itself)'))
    .addOption(
      new Option('--expires <time>', 'how long it is to be good for, at most 24h (default: 10m)').argParser(
        parseTtl,
      ),
    )
    .addOption(new Option('--download', 'makes browsers save it'));
  action<UrlRecordingOptions>(url, async (deps, options, [recording = '']) => {
    const { runUrl } = await import('../../recordings/library.ts');
    return await runUrl(deps, recording, options);
  });

  const remove = addRecording(command('delete', 'delete a recording with all its files'));
  action<Options>(remove, async (deps, options, [recording = '']) => {
    const { runDelete } = await import('../../recordings/library.ts');
    return await runDelete(deps, recording, options);
  });

  const access = addRecording(command('access', 'say who may see a recording, or print who may'))
    .addArgument(
      new Argument('[who]', 'hosts, those who were in the meeting, or who has its link').choices(SCOPES),
    )
    .addOption(
      new Option('--user <id,…>', 'users who may see it besides, in place of those of before').argParser(
        parseList,
      ),
    )
    .addOption(new Option('--new-link', 'make the link another one'));
  action<AccessRecordingOptions>(access, async (deps, options, [recording = '', who]) => {
    const { runAccess } = await import('../../recordings/library.ts');
    return await runAccess(deps, recording, who as AccessScope | undefined, options);
  });
}
