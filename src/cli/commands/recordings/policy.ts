import { InvalidArgumentError, Option } from 'commander';
import type { OutputOptions } from '../../context.ts';
import type { Registry } from '../../program.ts';
import { recordingsDirOption } from './dir-option.ts';

/** Days, or `false` for `off`. */
type Days = number | false;

export interface PolicyCommandOptions extends OutputOptions {
  readonly dir: string;
  readonly s3?: string;
  readonly apply?: boolean;
  readonly infrequent: Days;
  readonly archive: Days;
  readonly delete: Days;
  readonly abort: Days;
  readonly replicateTo?: string;
  readonly role?: string;
}

export function registerPolicy({ command, action }: Registry): void {
  const days = (flags: string, description: string, usual: number) =>
    new Option(flags, description).argParser(parseDays).default(usual);
  const policy = command('policy', 'show or write how long recordings are kept')
    .addOption(
      new Option('--s3 <url>', 'of this bucket and prefix; without it, of the folder').env(
        'MEET_RECORDING_S3',
      ),
    )
    .addOption(recordingsDirOption())
    .option('--apply', 'write it; in a folder: remove what is old enough')
    .addOption(days('--infrequent <days>', 'age for STANDARD_IA, or "off"', 30))
    .addOption(days('--archive <days>', 'age for GLACIER, or "off"', 90))
    .addOption(days('--delete <days>', 'age at which recordings are deleted, or "off"', 365))
    .addOption(days('--abort <days>', 'age at which unfinished uploads are aborted, or "off"', 7))
    .option('--replicate-to <bucket>', 'a second bucket, by name or ARN, for a copy of everything new')
    .option('--role <arn>', 'the role that S3 takes on for it');
  action<PolicyCommandOptions>(policy, async (deps, options) => {
    const { runPolicy } = await import('../../recordings/policy.ts');
    return await runPolicy(deps, options);
  });
}

function parseDays(text: string): Days {
  if (text === 'off') return false;
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < 1) throw new InvalidArgumentError('Give a number of days, or "off".');
  return days;
}
