/** The transcriber that a configuration asks for. */
import { MeetError } from '../../../../protocol/errors.ts';
import { isLanguageTag } from '../language.ts';
import type { Transcriber } from '../types.ts';
import { commandTranscriber } from './command.ts';
import { googleTranscriber } from './google.ts';
import { OPENAI_MODEL, OPENAI_URL, openAiTranscriber } from './openai.ts';

export type TranscriberKind = 'openai' | 'aws' | 'google' | 'command';

export interface TranscriberConfig {
  readonly kind: TranscriberKind;
  /** In place of the provider's usual address. */
  readonly url?: string | undefined;
  /** An API key; for Google also `Bearer TOKEN`. AWS finds its credentials where it always does. */
  readonly key?: string | undefined;
  readonly model?: string | undefined;
  readonly command?: string | undefined;
  /** `s3://bucket/prefix`, for AWS. */
  readonly bucket?: string | undefined;
  /** BCP 47. */
  readonly language?: string | undefined;
}

/** @throws MeetError `bad-config` where something is missing or wrong */
export async function openTranscriber(config: TranscriberConfig): Promise<Transcriber> {
  const { kind, url, key, model, command, bucket, language } = config;
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new MeetError('bad-config', "The transcriber's URL is not an http: or https: URL.");
  if (language !== undefined && !isLanguageTag(language))
    throw new MeetError('bad-config', `${language} is not a language tag such as en or de-AT.`);
  switch (kind) {
    case 'openai':
      if (url === undefined && key === undefined) throw missing('transcriber-key', 'OpenAI asks for a key');
      return openAiTranscriber({ url: url ?? OPENAI_URL, key, model: model ?? OPENAI_MODEL, language });
    case 'google': {
      const token = /^Bearer\s+(\S+)$/i.exec(key ?? '')?.[1];
      if (key === undefined) throw missing('transcriber-key', 'Google Speech asks for a key or a token');
      return googleTranscriber({ url, model, language, ...(token === undefined ? { key } : { token }) });
    }
    case 'command':
      if (command === undefined)
        throw missing('transcriber-command', 'There is no command to transcribe with');
      return commandTranscriber({ command, language });
    case 'aws': {
      if (bucket === undefined)
        throw missing('transcriber-bucket', 'AWS Transcribe reads speech from a bucket only');
      // The SDK takes long to load.
      const { awsTranscriber } = await import('./aws.ts');
      return awsTranscriber({ bucket, url, language });
    }
  }
}

const missing = (setting: string, why: string): MeetError =>
  new MeetError('bad-config', `${why}.`, { hint: `Set it with: meet config set ${setting} VALUE` });
