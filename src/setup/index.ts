/** What a machine needs before it can hold a meeting: the SFU worker, and a doctor's look at the rest. */
export { runDoctor } from './doctor/index.ts';
export type { Check, DoctorOptions } from './doctor/types.ts';
export { type ProvideWorkerOptions, provideWorker } from './worker/index.ts';
export { formatWorkerProgress } from './worker/progress-line.ts';
export type { WorkerProgress } from './worker/types.ts';
