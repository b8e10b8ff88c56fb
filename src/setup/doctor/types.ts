/** One thing that the doctor looked at. */
export interface Check {
  readonly name: string;
  /** `warning`: works, with the limit that the message names; `failed`: something does not work. */
  readonly status: 'ok' | 'warning' | 'failed';
  /** What was found, one sentence. */
  readonly message: string;
  /** What mends it: a command or an advice. */
  readonly mend?: string;
}

export interface DoctorOptions {
  /** Folder that `meet serve` keeps its data in. */
  readonly dataDir: string;
  /** Folder of cached workers and clips; default this user's cache folder. */
  readonly cacheDir?: string | undefined;
  /** MEDIASOUP_WORKER_BIN. */
  readonly workerBin?: string | undefined;
  /** MEET_FFMPEG. */
  readonly ffmpeg?: string | undefined;
  /** HTTP port that the server would take; default 8080. */
  readonly port?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
