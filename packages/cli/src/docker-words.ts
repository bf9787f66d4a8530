/** Sentences by the words that they are for. */
type Sentences = readonly (readonly [words: string, sentence: string])[];

const NO_IMAGES = 'ctr has no images: --rootfs takes a directory, such as what `docker export` of a container gives to `tar -x`';
const NO_DAEMON = 'ctr has no daemon and keeps no container that has ended';
const NO_NETWORKS =
  "ctr makes no networks: --net none has a loopback alone, --net host is the host's, and --net PATH or pid:N is one that something else has made";

/** Docker's commands that ctr does not have. In functions, so that nobody makes them who does not need them. */
function commands(): Sentences {
  return [
    ['ps ls list', `${NO_DAEMON}: ctr top shows those that run, and ctr top --once is a table of them`],
    ['rm', `${NO_DAEMON}: nothing is left to be removed, and ctr gc removes the cgroups of a ctr that was killed`],
    [
      'stop kill',
      'a container ends with its ctr run, which passes signals on: kill PID, where PID is that of ctr run; ctr-oci kill ends one that ctr-oci has made',
    ],
    ['create start', 'ctr run does both at once; ctr-oci create and ctr-oci start do one each, with an OCI bundle'],
    ['restart', `${NO_DAEMON}: a service manager restarts ctr run, as by Restart= of systemd`],
    [
      'exec attach',
      'ctr enters no container that runs; ctr-oci exec enters one that ctr-oci has made, and ctr run joins namespaces by --pid pid:N and the like',
    ],
    ['logs', 'ctr keeps no logs: ctr run writes what the program writes to its own stdout and stderr'],
    ['stats', 'ctr top shows what the containers that run use, and ctr run --stats what one has used at its end'],
    ['pause unpause update', 'ctr changes no container that runs; ctr-oci pause, resume and update do, with one that ctr-oci has made'],
    ['wait', 'ctr run waits for the end itself, and exits as the program does'],
    [
      'inspect',
      'ctr run --dry-run shows every system call of a container, and --show-posture what it is kept from; ctr-oci state shows one that ctr-oci has made',
    ],
    ['info', 'ctr doctor shows what this host offers'],
    ['events', 'ctr has no daemon that could tell of events; ctr-oci events tells of one container that ctr-oci has made'],
    [
      'cp diff commit export rename port',
      `${NO_DAEMON}: the files of one are in its --rootfs, or in memory until its end, and a volume (-v) keeps what is to stay`,
    ],
    ['checkpoint', 'ctr saves no processes: criu does'],
    ['build builder buildx bake', 'ctr builds no images: ctr run --rootfs DIR runs a command in a directory that is to become one'],
    ['pull push images image rmi tag save load import history search login logout manifest trust registry', NO_IMAGES],
    ['network', NO_NETWORKS],
    ['volume', 'ctr keeps no volumes: -v SRC:DST shows a directory of the host'],
    ['compose', 'ctr runs one container at a time: a script, or units of systemd, start several'],
    ['container system context plugin', `${NO_DAEMON}, so that there is nothing to manage: ctr help lists what there is`],
    ['config node secret service stack swarm', 'ctr runs containers on this host alone'],
  ];
}

/** Docker's options of `run` that ctr does not have. */
function options(): Sentences {
  return [
    ['p P publish publish-all expose', `${NO_NETWORKS}; with --net host, the ports of the program are the host's`],
    [
      'dns dns-option dns-search dns-opt',
      "ctr makes no resolv.conf: with --net host the host's is there, and -v ./resolv.conf:/etc/resolv.conf:ro shows another",
    ],
    ['add-host', 'ctr takes no names: -v ./hosts:/etc/hosts:ro shows a file with them'],
    ['ip ip6 mac-address link link-local-ip network-alias net-alias', NO_NETWORKS],
    ['domainname', 'ctr sets no domain name: --hostname may be a whole one, such as web.example.org'],
    ['d detach', 'ctr has no daemon, and a container ends with its ctr run: `ctr run … &`, or systemd-run ctr run …; ctr-oci run --detach has one that stays'],
    ['detach-keys', 'ctr run stays until the end of the program: there is nothing to detach from'],
    ['sig-proxy', 'ctr run always passes signals on'],
    ['a attach', "stdin, stdout and stderr are always the program's: >/dev/null drops one"],
    ['mount', 'a mount is -v SRC:DST[:ro] for a directory or file of the host, or --tmpfs DST[:size=64m]'],
    ['volumes-from volume-driver', 'ctr keeps no volumes: -v SRC:DST shows a directory of the host'],
    ['shm-size', '/dev/shm is a tmpfs: --tmpfs /dev/shm:size=64m gives it another size'],
    ['entrypoint', 'there is no image that could have one: the command stands behind the options'],
    ['restart', 'ctr has no daemon that could: a service manager restarts ctr run, as by Restart= of systemd'],
    ['pull platform disable-content-trust', NO_IMAGES],
    ['label label-file annotation l', 'ctr keeps nothing of a container that labels could be found by: --name gives it a name'],
    ['cidfile', 'a container is known by its --name, and ends with its ctr run'],
    ['log-driver log-opt', 'ctr keeps no logs: what the program writes is on stdout and stderr of ctr run'],
    [
      'health-cmd health-interval health-retries health-start-interval health-start-period health-timeout no-healthcheck',
      'ctr has no daemon that could look: --timeout ends a program that takes too long',
    ],
    ['stop-signal stop-timeout', 'signals to ctr run are passed on as they come; --timeout ends a program that takes too long'],
    ['gpus', '--device shows a device of the host, such as /dev/dri/renderD128'],
    ['runtime use-api-socket', 'ctr is the runtime itself, without a daemon'],
    ['c', "the short form of docker's --cpu-shares: write it out"],
    ['cpu-rt-period cpu-rt-runtime kernel-memory', 'kernels of today have no such limit in control groups; --ulimit rtprio=N allows real-time priorities'],
    ['cpu-count cpu-percent io-maxbandwidth io-maxiops isolation', 'it is for Windows: --cpus, --device-read-bps and their like are for Linux'],
    ['oom-score-adj', 'ctr leaves it as it is: choom -n N -- ctr run … sets it for both'],
  ];
}

/**
 * What to take instead of a command of docker's that ctr does not have.
 *
 * @returns `undefined` for what is no word of docker's
 */
export function insteadOfCommand(word: string): string | undefined {
  return find(commands(), word);
}

/** The same for an option of `docker run`, without its dashes. */
export function insteadOfOption(name: string): string | undefined {
  return find(options(), name);
}

function find(sentences: Sentences, word: string): string | undefined {
  return sentences.find(([words]) => words.split(' ').includes(word))?.[1];
}
