#include "kith/help.h"

static const char all[] =
    "kith talks to a hub, kithd.\n"
    "\n"
    "  kith [OPTION]... COMMAND [ARGUMENT]...\n"
    "\n"
    "  store [KEY [VALUE]]   keep a value; VALUE - is all of standard input\n"
    "  get [KEY]             fetch a value\n"
    "  del [KEY]...          remove keys\n"
    "  ls [PREFIX]           the keys there are\n"
    "  watch [PREFIX]        tell each change of keys, until Ctrl+C\n"
    "  export [PREFIX]       entries as JSON lines\n"
    "  import [FILE]         store entries from JSON lines\n"
    "  backup FOLDER         copy all the hub has into a new folder\n"
    "  echo [TEXT]...        send a message and print the reply\n"
    "  name [NEW]            what the hub is called, or call it NEW\n"
    "  info [SECTION]        what the hub says about itself\n"
    "  quit                  stop the hub\n"
    "  join WHERE            meet a hub over TLS, and remember what it is known by\n"
    "  id [NAME]             who this device is, and whose it is; which devices of NAME are "
    "known\n"
    "  verify NAME           compare five words with somebody, to be sure who it is\n"
    "  forget NAME           forget the devices of somebody; he is met anew\n"
    "  register [NAME]       make an account; this device is its first\n"
    "  login [NAME]          log in, or add this device to an account\n"
    "  devices               the devices of one's account\n"
    "  password              change one's password\n"
    "  invite                a token that makes an account, once\n"
    "  token                 what programs log in with\n"
    "  account               all accounts, for admins\n"
    "  who                   who is present on the hub, and for how long\n"
    "  say NAME TEXT...      say something to somebody, directly; TEXT - is standard input\n"
    "  listen                print what people say to one\n"
    "  doctor [NAME]         why a connection does not come about, path by path\n"
    "  letters               print what people have left for this device\n"
    "  demo                  start a hub and its clients and play a story on them\n"
    "  help [COMMAND]        this, or more on one command\n"
    "\n"
    "  kith [HOST [PORT]]        a visit to the hub there: see who is here, keep values, by "
    "the\n"
    "                            line, until Ctrl+D; #HELP there says more\n"
    "  kith --key=K --value=V    stores, as store does\n"
    "  kith --key=K              fetches, as get does\n"
    "  kith --key=QUIT           stops the hub, as quit does\n"
    "  kith --raw WORDS          sends the words as a bare message, prints what comes back\n"
    "\n"
    "  --hub WHERE   HOST, HOST:PORT, :PORT, [V6]:PORT, or a Unix socket: a path with a slash\n"
    "                in it, or unix:PATH; over TLS kith://ADDRESS[#FINGERPRINT]; else the\n"
    "                environment's KITH_HUB; else 127.0.0.1:12345\n"
    "  --as NAME     another profile, with a device key of its own (default: default)\n"
    "  --json        a JSON object a line for every answer, errors too; exact, where lines of\n"
    "                text have control characters as \\x0a\n"
    "  --quiet       only what was asked for: a value, a reply\n"
    "  --log FILE    append what was asked and answered, with the time\n"
    "  --help, -h    this; --help after a command says more on it\n"
    "  --version     which kith this is\n"
    "  --            what follows are words, even where they begin with --\n"
    "\n"
    "Exit codes: 0 done; 1 the answer is no, or it could not be done; 2 the command line or\n"
    "input cannot be understood, a key or value is too large, a file cannot be used; 3 there\n"
    "is no hub there, or it went away; 4 not allowed; 5 the hub, or somebody's device, is\n"
    "another one than it was; 6 a copy failed or is not whole, or a hub that was stopped has\n"
    "not ended within a minute.\n"
    "A missing KEY or VALUE, and what --raw shall send, are asked for where standard input "
    "and\n"
    "output are a terminal.\n";

struct topic {
    const char *name, *text;
};

static const struct topic topics[] = {
    {"store",
     "kith store [KEY [VALUE]]\n"
     "kith --key=KEY --value=VALUE\n"
     "\n"
     "Keeps VALUE under KEY and says whether the key is new (Saved Successfully) or had a\n"
     "value before (Update Successfully). Once that is said, the value is on the hub's disk.\n"
     "\n"
     "VALUE - reads the value from standard input, every byte of it, 64 MiB at most. A value\n"
     "that is a dash or begins with two comes after --, as in: kith store KEY -- -\n"
     "\n"
     "  --expire TIME   the key is gone after that time: 500ms, 30s, 10m, 12h, 7d\n"
     "  --if-absent     only if there is no such key\n"
     "  --if-equal OLD  only if the value is OLD now\n"
     "\n"
     "Where the condition does not hold nothing is stored: exit code 1.\n"},
    {"get",
     "kith get [KEY]\n"
     "kith --key=KEY\n"
     "\n"
     "Prints the value of KEY and then a newline, which is not the value's: to a pipe or a "
     "file\n"
     "the value as it is, to a terminal without control characters. A KEY without a value is\n"
     "Invalid Key, exit code 1.\n"},
    {"del", "kith del [KEY]...\n"
            "\n"
            "Removes the keys. Exit code 1 where one of them was not there; the others are\n"
            "removed all the same.\n"},
    {"ls",
     "kith ls [PREFIX]\n"
     "kith ls --match PATTERN\n"
     "\n"
     "Prints the keys, those that begin with PREFIX, one a line and in no order. A key that\n"
     "is there all the while is printed, whatever else comes and goes; once or, rarely,\n"
     "twice. Control characters come out as \\x0a; --json is exact.\n"
     "\n"
     "  --match PATTERN  those that match as a whole: * is anything, ? one byte, [a-c] one of\n"
     "                   these, [^a-c] none of them, and after \\ a character is itself. "
     "Quote\n"
     "                   it from the shell: kith ls --match 'user:*:name'\n"},
    {"watch",
     "kith watch [PREFIX]\n"
     "\n"
     "Prints a line for each change of a key that begins with PREFIX, from now on and once it "
     "is\n"
     "on the hub's disk: KEY = VALUE, KEY (removed), KEY (expired), or (all keys removed). "
     "Control\n"
     "characters come out as \\x0a; --json is exact.\n"},
    {"export",
     "kith export [PREFIX]\n"
     "\n"
     "Prints a line of JSON for each entry, those whose keys begin with PREFIX, in no order:\n"
     "key, value, and expires_ms, ms since 1970, where it ends. What is not UTF-8 is in\n"
     "key_base64 and value_base64. Each entry is as of one moment, but not all as of the "
     "same:\n"
     "what comes or goes meanwhile may be there or not. kith backup knows but one moment.\n"},
    {"import",
     "kith import [FILE]\n"
     "\n"
     "Stores what export printed, from FILE or standard input, over what the keys hold now. A\n"
     "line that is no entry ends it: exit code 2, and what came before it is stored. Entries\n"
     "whose time is over are gone at once.\n"},
    {"backup",
     "kith backup FOLDER\n"
     "\n"
     "Copies all the hub has, as of one moment, into a new folder, while it goes on; then "
     "reads\n"
     "the copy back. A hub started on it has everything, its name too.\n"
     "Until it is whole it is called FOLDER.partial. Only the hub's own user and root may, "
     "from\n"
     "the hub's machine.\n"},
    {"echo",
     "kith echo [TEXT]...\n"
     "\n"
     "Sends the words, or Hello, server! where there are none, and prints the reply.\n"},
    {"name",
     "kith name [NEW]\n"
     "\n"
     "Prints what the hub is called. With NEW, calls it so: only the hub's own user and\n"
     "root may, from the hub's machine.\n"},
    {"info", "kith info [SECTION]\n"
             "\n"
             "Prints what the hub says about itself, name:value a line; with --json as one\n"
             "object.\n"},
    {"quit",
     "kith quit\n"
     "kith --key=QUIT\n"
     "\n"
     "Stops the hub: what it has promised is on disk. Where it runs on this machine, waits\n"
     "until it has ended. Only the hub's own user and root may, from the hub's machine.\n"},
    {"demo",
     "kith demo [--logs DIR] [--story FILE] [--hub WHERE]\n"
     "kith demo --print-story\n"
     "\n"
     "Starts a hub on a free port and a scratch folder, and clients, each a process, and "
     "plays\n"
     "a story on them: who asks what, and which answers are right. Prints it as it happens, "
     "in\n"
     "DIR (./kith-demo) leaves hub.log and a log for each client, and ends with exit code 0\n"
     "only if every answer was right.\n"
     "\n"
     "  --logs DIR      where the logs go; logs of an earlier run there are replaced\n"
     "  --story FILE    another story; --print-story shows the one built in, and how one is\n"
     "                  written\n"
     "  --hub WHERE     plays on a hub that runs already. It keeps what the story stores, and\n"
     "                  is not stopped: the story's QUIT is left out\n"},
    {"join",
     "kith join kith://ADDRESS[#FINGERPRINT]\n"
     "\n"
     "Meets a hub over TLS and remembers the fingerprint it is known by, which kithd logs at\n"
     "its start. With it in the address nothing is left to belief. Without, a hub that is not\n"
     "known yet is believed, once; the same goes for --hub kith://ADDRESS.\n"
     "\n"
     "Where a known hub is another one later, kith stops with exit code 5 and has sent\n"
     "nothing. If the hub's keeper confirms the new fingerprint, join it with that.\n"},
    {"id",
     "kith id [NAME]\n"
     "\n"
     "Prints this device's fingerprint, the profile its key lies in (--as), and whose it is "
     "on\n"
     "the hub, where that can be asked. With --quiet the fingerprint alone.\n"
     "\n"
     "With NAME: the devices that are known of NAME on the hub, since when, and why each is\n"
     "believed: it was met first, signed by a known one, or verified by words. The hub is not\n"
     "asked.\n"},
    {"verify",
     "kith verify NAME\n"
     "\n"
     "Asks NAME to talk and shows five words, the same on both sides only where nobody is\n"
     "between the two, be it the hub. Compare them with NAME by another way, side by side or\n"
     "on the telephone, and answer yes or no. NAME visits the hub (kith HOST PORT), where\n"
     "/verify asks the same, or runs kith verify, too. Who is not here is waited for.\n"
     "\n"
     "Exit code 0: they were the same, and that is remembered and shown; 5: they were not, or\n"
     "NAME's device is another one than it was; 1: nobody was there to compare them.\n"
     "\n"
     "  --peer-port N   where other devices reach this one (default: a free port)\n"},
    {"forget",
     "kith forget NAME\n"
     "\n"
     "Forgets what is known of NAME's devices on the hub, and that NAME was verified. The "
     "next\n"
     "device that is met is believed again: the way out where kith stops with exit code 5,\n"
     "once NAME has said by another way that the fingerprint is right. The hub is not "
     "asked.\n"},
    {"register",
     "kith register [NAME]\n"
     "\n"
     "Makes an account on the hub and logs in. The password is asked for twice, and is for "
     "this\n"
     "and for adding devices: a device of the account is known by its key, without a word.\n"
     "\n"
     "  --password-file FILE  the password is the first line of FILE\n"
     "  --password-fd N       ... or of what is read from descriptor N\n"
     "  --invite              with an invite, which is asked for\n"
     "  --setup               as the first admin, with the setup token kithd prints at its "
     "start\n"
     "  --token-file FILE     the invite, or setup token, is the first line of FILE\n"},
    {"login",
     "kith login [NAME]\n"
     "\n"
     "Says whose account this device is; where it is nobody's, or NAME's is another one, asks\n"
     "for the password and adds this device to that account. Others see it as unsigned, and\n"
     "may refuse it, until an older device of yours says it is yours; what to type there is\n"
     "said. See kith help devices.\n"
     "\n"
     "  --password-file FILE, --password-fd N   as with register\n"},
    {"devices",
     "kith devices\n"
     "\n"
     "Prints the devices of your account: fingerprint, since when, whether it is the first,\n"
     "unsigned, or which one has signed it, and what it is called.\n"
     "\n"
     "  --revoke FINGERPRINT  that device is yours no more; its connections and talks end\n"
     "  --sign FINGERPRINT    says, signed by this device, that it is yours. Compare it with "
     "what\n"
     "                        kith id prints there\n"},
    {"password",
     "kith password\n"
     "\n"
     "Changes your password; the old one is asked for, and the new one twice.\n"
     "\n"
     "  --password-file FILE, --password-fd N   the old one and the new one, a line each\n"},
    {"invite", "kith invite --new [--expire TIME]\n"
               "\n"
               "Prints a token with which somebody makes an account, once; see kith help "
               "register. It is\n"
               "good for 7 days, or for TIME, as in 12h or 2d.\n"},
    {"token",
     "kith token\n"
     "kith token --new LABEL [--expire TIME]\n"
     "kith token --revoke LABEL\n"
     "\n"
     "Lists your programs' tokens, makes one and prints it, this once, or ends one and its\n"
     "connections. A program says AUTH TOKEN, or AUTH NAME TOKEN, as Redis clients do with a\n"
     "password, and may then use the table.\n"},
    {"account",
     "kith account\n"
     "kith account --reset NAME | --remove NAME | --admin NAME on|off\n"
     "\n"
     "For admins, and for the hub's own user and root on its machine. Lists all accounts.\n"
     "\n"
     "  --reset NAME         a new password, asked for; devices and tokens are gone.\n"
     "                       A device that logs in again is believed by others as\n"
     "                       before where its key is the one they know\n"
     "  --remove NAME        the account is gone\n"
     "  --admin NAME on|off  makes it an admin's, or no longer\n"
     "  --password-file FILE, --password-fd N   where --reset reads the password\n"},
    {"who",
     "kith who\n"
     "\n"
     "Prints who is present on the hub, a line each: the name, for how long, on how many\n"
     "devices where that is more than one, and whether you have verified them; see kith help\n"
     "verify. --quiet prints the names alone, and --json\n"
     "{\"name\": NAME, \"since_ms\": N, \"devices\": N, \"verified\": true or false}, "
     "where since_ms is\n"
     "in milliseconds since 1970. Present is who visits the hub, or talks, listens or waits "
     "for\n"
     "somebody with a command; kith who alone makes nobody so. Exit code 4 where this device "
     "is\n"
     "nobody's.\n"},
    {"say",
     "kith say NAME TEXT...\n"
     "\n"
     "Asks NAME to talk, says TEXT, and waits until it was shown there: exit code 0. It goes\n"
     "from this device to the other one, encrypted; the hub cannot read it. TEXT - is all of\n"
     "standard input, at most 64 KiB.\n"
     "\n"
     "Where NAME is not here, is busy or has not answered within a minute, TEXT waits with\n"
     "the hub as a letter, sealed for each of NAME's devices: exit code 0 as well, and it "
     "says\n"
     "so, with --json as {\"to\": NAME, \"letter\": true, \"devices\": N}. Exit code 1: NAME\n"
     "does not want to or is unknown, has no room for letters, or it was not delivered, or\n"
     "nothing says that\n"
     "it was; 5: NAME's device is another one than it was. Several at once to the same person\n"
     "take turns.\n"
     "\n"
     "  --now           no letter: exit code 1 where NAME is not here or does not answer\n"
     "  --history       keep it in the profile, history/NAME@HUB.jsonl\n"
     "  --peer-port N   where other devices reach this one (default: a free port)\n"},
    {"listen",
     "kith listen --accept NAME,...|all\n"
     "\n"
     "Waits for people, accepts to talk with those, and prints a line for each text, NAME:\n"
     "TEXT, until Ctrl+C. With --json it is {\"from\": NAME, \"text\": TEXT}. Others are told\n"
     "that one is busy. A hub that is lost is tried again until it is back. Once it listens,\n"
     "it says so on standard error, with --json too but not with --quiet: kith: listening at "
     "...\n"
     "\n"
     "Letters of theirs are printed, too, once: NAME wrote at 14:03: TEXT; with --json they "
     "have\n"
     "written_ms and \"letter\": true as well. Those of others wait on.\n"
     "\n"
     "  --history           keep it in the profile, history/NAME@HUB.jsonl\n"
     "  --accept NAME,...   with whom; all: with everybody on the hub\n"
     "  --peer-port N       where other devices reach this one (default: a free port)\n"},
    {"doctor",
     "kith doctor [NAME]\n"
     "\n"
     "Tells how this device stands: the hub it reaches, as whom and who is there, the port\n"
     "where other devices come in, and the addresses they are told. With NAME it asks him to\n"
     "talk; once he accepts, every way from here to his device is tried to its end, and the\n"
     "hub's relay, a line each; then what came from there, and what follows from all of it.\n"
     "Nothing is said to him; the talk ends by itself. What his device has tried in vain is\n"
     "not known here: kith doctor there tells it. Exit code 0: some way works; 1: none does,\n"
     "or NAME is not here, does not want to or has not answered.\n"
     "\n"
     "  --peer-port N   where other devices reach this one: the port to be tried\n"
     "\n"
     "With --json each line is {\"about\", \"at\", \"result\", \"ms\", \"text\"}.\n"},
    {"letters",
     "kith letters\n"
     "\n"
     "Prints what others have left for this device while it was away, the oldest first, NAME\n"
     "wrote yesterday at 14:03: TEXT, and takes it: none is printed again. With --json it is\n"
     "{\"from\": NAME, \"text\": TEXT, \"written_ms\": MS, \"letter\": true}. Each device has "
     "its\n"
     "own. Exit code 5: one is from a device that is not known as its sender's; it waits on,\n"
     "and the fingerprint of that device is told.\n"
     "\n"
     "  --discard FINGERPRINT  throw away, unread, all that waits from that device; exit code "
     "1\n"
     "                         where nothing does\n"
     "  --history              keep it in the profile, history/NAME@HUB.jsonl\n"},
    {"raw",
     "kith --raw [TEXT]...\n"
     "kith --raw --key=KEY [--value=VALUE]\n"
     "\n"
     "Sends the words, with a blank between, as a bare message of the text protocol, as nc\n"
     "would, and prints what comes back, as it is: an echo, or where the words are one of the\n"
     "hub's messages (STORE key = value, GET key, QUIT, #HELP ...), its answer.\n"
     "\n"
     "  kith --raw STORE color = blue\n"
     "  kith --raw GET color\n"
     "\n"
     "--raw is an option, not a command. With --key it sends GET KEY, or STORE KEY = VALUE;\n"
     "with --key=QUIT it stops the hub.\n"},
    {"help", "kith help [COMMAND]\n"
             "\n"
             "Says what kith can do, or more on one command.\n"},
};

void help_print(struct output *o)
{
    output_bytes(o, bytes_from_str(all));
}

bool help_print_command(struct output *o, const char *name)
{
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (strcmp(topics[i].name, name) == 0) {
            output_bytes(o, bytes_from_str(topics[i].text));
            return true;
        }
    }
    return false;
}
