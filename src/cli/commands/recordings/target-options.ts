import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ObjectTraits } from '../../../recorder/upload/index.ts';

/** Where recordings go, and how they are kept there. */
export interface TargetCommandOptions {
  readonly s3?: string;
  readonly sse?: string;
  readonly storageClass?: string;
  readonly tag?: Readonly<Record<string, string>>;
}

/** S3's limit for an object. */
const MAX_TAGS = 10;

export function addTargetOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--s3 <url>', 's3://bucket/prefix?endpoint=…&region=…&path-style=1, or a folder').env(
        'MEET_RECORDING_S3',
      ),
    )
    .addOption(
      new Option('--sse <how>', 'encryption there: AES256, aws:kms or aws:kms:KEY').argParser(parseSse),
    )
    .addOption(new Option('--storage-class <class>', 'such as STANDARD_IA'))
    .addOption(new Option('--tag <k=v>', 'a tag of each object; may be repeated').argParser(parseTag));
}

/** `undefined` where nothing was said. */
export function traitsOf({ sse, storageClass, tag }: TargetCommandOptions): ObjectTraits | undefined {
  if (sse === undefined && storageClass === undefined && tag === undefined) return undefined;
  return { ...(sse && { sse }), ...(storageClass && { storageClass }), ...(tag && { tags: { ...tag } }) };
}

function parseSse(text: string): string {
  if (/^(AES256|aws:kms(:.+)?)$/.test(text)) return text;
  throw new InvalidArgumentError('Give AES256, aws:kms or aws:kms:KEY.');
}

function parseTag(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key = '', value = ''] = /^([^=]{1,128})=(.{0,256})$/s.exec(text) ?? [];
  if (key === '') throw new InvalidArgumentError('Give a tag as key=value.');
  const tags = { ...before, [key]: value };
  if (Object.keys(tags).length > MAX_TAGS)
    throw new InvalidArgumentError(`An object has ${MAX_TAGS} tags at most.`);
  return tags;
}
