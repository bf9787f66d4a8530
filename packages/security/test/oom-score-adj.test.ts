import { explain, Fd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { oomScoreAdj } from '@ctr/security';

describe('oomScoreAdj', () => {
  it('sees that /proc is one before it writes there', () => {
    expect(explain(oomScoreAdj(-500))).toMatchInlineSnapshot(`
      " 1  openat(AT_FDCWD, "/proc", O_DIRECTORY|O_CLOEXEC|O_PATH) = $proc  # the proc that is mounted
       2  fstatfs($proc, &statfs)  # is it one?
       3  add($statfs, 0), if == 40864 go to 5  # its type
       4  fail(ENODEV)  # there is no proc at /proc
       5  label()  # it is a proc
       6  openat2($proc, "thread-self", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH}, 24) = $thread-self  # what proc has of this process
       7  openat2($thread-self, "oom_score_adj", {flags=O_WRONLY|O_CLOEXEC, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24) = $oom_score_adj  # to set the OOM score adjustment to -500
       8  write($oom_score_adj, "-500", 4)  # set the OOM score adjustment to -500
       9  close($oom_score_adj)  # it is written
      10  close($thread-self)  # it is not needed any more
      11  close($proc)  # proc is not needed any more"
    `);
  });

  it('writes to a proc that it is given', () => {
    const proc = new Fd(1000, 'proc');
    try {
      expect(explain(oomScoreAdj(1000, { proc }))).toMatchInlineSnapshot(`
        "1  openat2(1000<proc>, "thread-self", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH}, 24) = $thread-self  # what proc has of this process
        2  openat2($thread-self, "oom_score_adj", {flags=O_WRONLY|O_CLOEXEC, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24) = $oom_score_adj  # to set the OOM score adjustment to 1000
        3  write($oom_score_adj, "1000", 4)  # set the OOM score adjustment to 1000
        4  close($oom_score_adj)  # it is written
        5  close($thread-self)  # it is not needed any more"
      `);
    } finally {
      proc.release();
    }
  });

  it('is -1000 to 1000', () => {
    for (const score of [-1001, 1001, 0.5, Number.NaN])
      expect(() => oomScoreAdj(score)).toThrow(/^oomScoreAdj is .*: it has to be an integer from -1000 to 1000$/);
    expect(() => oomScoreAdj(0, { porc: 1 } as never)).toThrow('did you mean proc?');
  });
});
