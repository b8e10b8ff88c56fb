export * from './actions.ts';
export * from './audit.ts';
export * from './chat.ts';
export * from './errors.ts';
export * from './model.ts';
export * from './rest.ts';
export * from './signaling.ts';
