let on = ['1', 'true'].includes(process.env['CTR_DEBUG'] ?? '');

/** Whether errors are told with the whole plan and the stack. */
export function isDebugging(): boolean {
  return on;
}

/** Errors are told with the whole plan and the stack from here on. */
export function startDebugging(): void {
  on = true;
}
