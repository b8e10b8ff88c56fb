import { Option } from 'commander';

/** Where the recordings of this machine are. */
export const recordingsDirOption = (): Option =>
  new Option('--dir <folder>', 'folder of the recordings, in which each has one of its own').default(
    'recordings',
  );
