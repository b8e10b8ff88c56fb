import { Option } from 'commander';

/** What `meet serve` listens on unless told otherwise. */
const DEFAULT_SERVER = 'http://127.0.0.1:8080';

/** `--server URL` with its environment variable. */
export function serverOption(): Option {
  return new Option('--server <url>', 'base URL of the meeting server')
    .env('MEET_SERVER')
    .default(DEFAULT_SERVER);
}
