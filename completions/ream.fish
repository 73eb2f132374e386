# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ream_global_optspecs
    string join \n store= format= json q/quiet color= lock-timeout= h/help V/version
end

function __fish_ream_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ream_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ream_using_subcommand
    set -l cmd (__fish_ream_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ream -n "__fish_ream_needs_command" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_needs_command" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_needs_command" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_needs_command" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_needs_command" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_needs_command" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_needs_command" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_needs_command" -f -a "init" -d 'Make a store'
complete -c ream -n "__fish_ream_needs_command" -f -a "append" -d 'Append events to streams'
complete -c ream -n "__fish_ream_needs_command" -f -a "read" -d 'Read the events that are there'
complete -c ream -n "__fish_ream_needs_command" -f -a "tail" -d 'Read the events that are there, then follow'
complete -c ream -n "__fish_ream_needs_command" -f -a "count" -d 'Count events'
complete -c ream -n "__fish_ream_needs_command" -f -a "stream" -d 'Look at streams, protect them, remove what they hold'
complete -c ream -n "__fish_ream_needs_command" -f -a "state" -d 'Look at states, store them, remove them'
complete -c ream -n "__fish_ream_needs_command" -f -a "redact" -d 'Erase what single events say'
complete -c ream -n "__fish_ream_needs_command" -f -a "prune" -d 'Remove the events that are kept no longer'
complete -c ream -n "__fish_ream_needs_command" -f -a "decide" -d 'Have an aggregator decide a command, and store what it answers'
complete -c ream -n "__fish_ream_needs_command" -f -a "project" -d 'Make projections, fill them, search them'
complete -c ream -n "__fish_ream_needs_command" -f -a "subscription" -d 'Look at what follows the log, and move it'
complete -c ream -n "__fish_ream_needs_command" -f -a "serve" -d 'Serve the store to whoever connects, in REAM 1.0 and 1.1, or over HTTP'
complete -c ream -n "__fish_ream_needs_command" -f -a "status" -d 'Show how the store stands'
complete -c ream -n "__fish_ream_needs_command" -f -a "verify" -d 'Verify that the store holds what was stored'
complete -c ream -n "__fish_ream_needs_command" -f -a "export" -d 'Write the store\'s content as lines that `import` reads'
complete -c ream -n "__fish_ream_needs_command" -f -a "import" -d 'Read what `export` wrote'
complete -c ream -n "__fish_ream_needs_command" -f -a "compact" -d 'Give back the room that removals left'
complete -c ream -n "__fish_ream_needs_command" -f -a "doctor" -d 'Look for what needs attention, with the command for each'
complete -c ream -n "__fish_ream_needs_command" -f -a "backup" -d 'Back the store up into a new directory'
complete -c ream -n "__fish_ream_needs_command" -f -a "restore" -d 'Make a store of a backup, in a new directory'
complete -c ream -n "__fish_ream_needs_command" -f -a "log" -d 'Show who did what to the store'
complete -c ream -n "__fish_ream_needs_command" -f -a "completions" -d 'Write the completions for a shell'
complete -c ream -n "__fish_ream_needs_command" -f -a "man" -d 'Write the manual'
complete -c ream -n "__fish_ream_using_subcommand init" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand init" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand init" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand init" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand init" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand init" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand init" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand append" -l jsonl -d 'Append the events in FILE, one line of JSON each; - reads standard input' -r -F
complete -c ream -n "__fish_ream_using_subcommand append" -l expect -d 'What the stream must be: any, no-stream, exists, or at version N' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l none -d 'What must not be there: events of any stream, as type=T, tag=T and stream=PATTERN, as JSON, or @FILE' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l none-after -d 'With --none: only events that follow POS, the position or cursor up to which the log was read' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l id -d 'Idempotency key: the same again answers with the first append' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l tag -d 'What the event is about besides its stream, such as course:c1; may be repeated' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l meta -d 'The event\'s metadata, a JSON object: JSON, @FILE, or -' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l correlation -d 'Put correlation_id into the metadata' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l causation -d 'Put causation_id into the metadata' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l time -d 'When it happened, in RFC 3339 [default: when it is recorded]' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l state -d 'Store the stream\'s new state with the event: JSON, @FILE, or -; needs --expect N or no-stream' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand append" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand append" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand append" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand append" -l atomic -d 'Append all of them or none'
complete -c ream -n "__fish_ream_using_subcommand append" -l base64 -d 'DATA is base64 of bytes that are no JSON'
complete -c ream -n "__fish_ream_using_subcommand append" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand append" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand append" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand append" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand read" -l after -d 'Only what follows POS: a position, or @N for a version of the one stream read' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l from -d 'Only POS and what follows it' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l until -d 'Only what comes up to POS, or has a time up to TIME, inclusive' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l since -d 'Only what has a time since TIME, or so long ago: 10m' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l type -d 'Only events of type T; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l tag -d 'Only events with the tag T; of several, with all of them' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l query -d 'Only events that QUERY chooses: type=T, tag=T and stream=PATTERN, JSON of several such items, or @FILE' -r
complete -c ream -n "__fish_ream_using_subcommand read" -s n -l last -d 'Only the last N of the events that are there' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l limit -d 'At most N events' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand read" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand read" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand read" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand read" -l markers -d 'Begin with a line that says up to which position events are given, and end with one that says that all were'
complete -c ream -n "__fish_ream_using_subcommand read" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand read" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand read" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand tail" -l after -d 'Only what follows POS: a position, or @N for a version of the one stream read' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l from -d 'Only POS and what follows it' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l until -d 'Only what comes up to POS, or has a time up to TIME, inclusive' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l since -d 'Only what has a time since TIME, or so long ago: 10m' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l type -d 'Only events of type T; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l tag -d 'Only events with the tag T; of several, with all of them' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l query -d 'Only events that QUERY chooses: type=T, tag=T and stream=PATTERN, JSON of several such items, or @FILE' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -s n -l last -d 'Only the last N of the events that are there' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l limit -d 'At most N events' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l grace -d 'With a program: give it TIME to end when ream is interrupted [default: 5s]' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l as -d 'Follow as the subscription NAME, from where it is, with the patterns that it remembers' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l batch -d 'Run the program once for up to N events that are there; its exit with 0 acks them if it has read all of them' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l retries -d 'Start a program that fails again, N times [default: 5]' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l wait -d 'Wait at most TIME for who runs it already [default: not at all]' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand tail" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand tail" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand tail" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand tail" -l new -d 'Only what is stored from now on; with --as, where a new subscription begins'
complete -c ream -n "__fish_ream_using_subcommand tail" -l allow-loop -d 'With --as: let the program answer with events that it follows itself'
complete -c ream -n "__fish_ream_using_subcommand tail" -l per-event -d 'Run the program once an event; its exit with 0 acks it, even if the program has not read it'
complete -c ream -n "__fish_ream_using_subcommand tail" -l markers -d 'Tell the program from where to which head it is told, and when it has caught up'
complete -c ream -n "__fish_ream_using_subcommand tail" -l until-caught-up -d 'End when nothing is left to do'
complete -c ream -n "__fish_ream_using_subcommand tail" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand tail" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand tail" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand count" -l after -d 'Only what follows POS: a position, or @N for a version of the one stream read' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l from -d 'Only POS and what follows it' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l until -d 'Only what comes up to POS, or has a time up to TIME, inclusive' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l since -d 'Only what has a time since TIME, or so long ago: 10m' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l type -d 'Only events of type T; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l tag -d 'Only events with the tag T; of several, with all of them' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l query -d 'Only events that QUERY chooses: type=T, tag=T and stream=PATTERN, JSON of several such items, or @FILE' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l by -d 'Count by this: a stream\'s category is what comes before its first `-`, a day is that of the time in UTC' -r -f -a "type\t''
stream\t''
category\t''
day\t''"
complete -c ream -n "__fish_ream_using_subcommand count" -l order-by -d 'The order of the groups: count, or what they are by; with `-` before it the largest first' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l limit -d 'At most N groups' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand count" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand count" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand count" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand count" -l markers -d 'With --by: begin with a line that says up to which position events are counted'
complete -c ream -n "__fish_ream_using_subcommand count" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand count" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand count" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand count" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -f -a "list" -d 'List streams by name'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -f -a "show" -d 'Show a stream'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -f -a "protect" -d 'Protect streams from removal'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -f -a "unprotect" -d 'Allow the removal of streams again'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -f -a "set" -d 'Set how long the events of streams are kept'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -f -a "rm" -d 'Remove what streams hold'
complete -c ream -n "__fish_ream_using_subcommand stream; and not __fish_seen_subcommand_from list show protect unprotect set rm truncate" -f -a "truncate" -d 'Remove the first events of streams'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from protect" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from unprotect" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -l max-age -d 'How old an event may be: 90d; or none' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -l max-count -d 'How many events a stream may have, the last N; or none' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -l expect -d 'Only if the one stream is at version N; exit code 3 where it is not' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -l dry-run -d 'Only print what would be removed'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -l before -d 'Remove what precedes POS: a position, or @N for a version if one stream is given; or what precedes the first event of TIME or later: a time, or how long ago (90d)' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -l dry-run -d 'Only print what would be removed'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand stream; and __fish_seen_subcommand_from truncate" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -f -a "get" -d 'Show the state of a stream'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -f -a "set" -d 'Store the state of a stream, without an event'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -f -a "rm" -d 'Remove the states of streams; their events stay'
complete -c ream -n "__fish_ream_using_subcommand state; and not __fish_seen_subcommand_from get set rm list" -f -a "list" -d 'List states by stream; without a pattern, how many each category has'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -l data -d 'Only the data, as they are'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l expect -d 'What the stream must be: any, no-stream, exists, or at version N' -r
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l at -d 'The version that the state reflects [default: the stream\'s]' -r
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l base64 -d 'DATA is base64 of bytes that are no JSON'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -l dry-run -d 'Only print what would be removed'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand state; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand redact" -l reason -d 'Why; it is stored for ever' -r
complete -c ream -n "__fish_ream_using_subcommand redact" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand redact" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand redact" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand redact" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand redact" -l state-kept -d 'Keep the states of the streams, if they repeat nothing of what is erased'
complete -c ream -n "__fish_ream_using_subcommand redact" -l tags -d 'Erase the tags as well'
complete -c ream -n "__fish_ream_using_subcommand redact" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand redact" -l dry-run -d 'Only print what would be redacted'
complete -c ream -n "__fish_ream_using_subcommand redact" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand redact" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand redact" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand redact" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand prune" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand prune" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand prune" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand prune" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand prune" -l past-subscriptions -d 'Remove events that subscriptions and projections have not processed yet as well'
complete -c ream -n "__fish_ream_using_subcommand prune" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand prune" -l dry-run -d 'Only print what would be removed'
complete -c ream -n "__fish_ream_using_subcommand prune" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand prune" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand prune" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand decide" -l query -d 'Decide on the events that QUERY chooses: type=T, tag=T and stream=PATTERN, JSON of several such items, or @FILE' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l tag -d 'Decide on the events with the tag T; of several, with all of them' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l type -d 'Decide on the events of type T; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l id -d 'Idempotency key: the same command again gets the first answer' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l attempts -d 'Decide at most N times when other writers are faster' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l timeout -d 'Give the program TIME to answer' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l correlation -d 'Put correlation_id into the metadata of the events' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l causation -d 'Put causation_id into the metadata of the events' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand decide" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand decide" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand decide" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand decide" -l serve -d 'Decide the commands that come on standard input, with one program for all'
complete -c ream -n "__fish_ream_using_subcommand decide" -l dry-run -d 'Show what would be stored, as lines for append --jsonl'
complete -c ream -n "__fish_ream_using_subcommand decide" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand decide" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand decide" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand decide" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "create" -d 'Make a projection'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "drop" -d 'Drop a projection and its rows; the events stay'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "list" -d 'List the projections'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "show" -d 'Show a projection: its fields, how many rows it has, how far it has come'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "run" -d 'Run the program that makes a projection'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "allow" -d 'Allow the program that a projection remembers to run here'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "rebuild" -d 'Make a projection anew, from the first event on'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "set" -d 'Insert rows, or replace those with their keys'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "select" -d 'Search a projection'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "update" -d 'Set fields of rows'
complete -c ream -n "__fish_ream_using_subcommand project; and not __fish_seen_subcommand_from create drop list show run allow rebuild set select update delete" -f -a "delete" -d 'Delete rows'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l key -d 'The fields of the key, with commas between them, where they are several' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l unique -d 'Fields that no two rows have the same values in; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l index -d 'Fields that rows are found by; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l from -d 'Make it from these streams; `*` stands for any characters; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l schema -d 'Take everything from FILE, as `project show --format json` writes it; - for standard input' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l batch -d 'Run the program once for up to N events; its exit with 0 acks them if it has read all of them' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l allow -d 'With --schema: allow the program that FILE names to run here'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l per-event -d 'Run the program once an event; its exit with 0 acks it, even if the program has not read it'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -l dry-run -d 'Only tell what would be dropped'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from drop" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -l sql -d 'Only the statements that make a table like it'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l batch -d 'Run the program once for up to N events that are there; its exit with 0 acks them if it has read all of them' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l retries -d 'Start a program that fails again, N times [default: 5]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l wait -d 'Wait at most TIME for who runs it already [default: not at all]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l grace -d 'Give the program TIME to end when ream is interrupted [default: 5s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l allow -d 'Run the remembered program this once, even if it was neither given nor allowed here'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l per-event -d 'Run the program once an event; its exit with 0 acks it, even if the program has not read it'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l markers -d 'Tell the program from where to which head it is told, and when it has caught up'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l until-caught-up -d 'End when nothing is left to do'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from allow" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l batch -d 'Run the program once for up to N events that are there; its exit with 0 acks them if it has read all of them' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l retries -d 'Start a program that fails again, N times [default: 5]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l grace -d 'Give the program TIME to end when ream is interrupted [default: 5s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l allow -d 'Run the remembered program this once, even if it was neither given nor allowed here'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l per-event -d 'Run the program once an event; its exit with 0 acks it, even if the program has not read it'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l markers -d 'Tell the program from where to which head it is told, and when it has caught up'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l diff -d 'Tell how many rows differ, and the first of them; then ask'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -s y -l yes -d 'With --diff: do not ask'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l dry-run -d 'Make it and tell what differs, but leave the old one in its place'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from rebuild" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -l jsonl -d 'Set the rows in FILE, one JSON object a line; - for standard input. Committed as they come' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -l atomic -d 'With --jsonl: all of them or none'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l with -d 'Give the parameter :NAME of an expression a value; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l fields -d 'Only these fields, in this order, with commas between them' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l order-by -d 'Order by these fields; the largest first behind a -; null goes before all others' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l limit -d 'At most N rows' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l offset -d 'Pass over N rows' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l at-least -d 'Wait until the projection has all that matters to it up to POSITION' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l wait -d 'With --at-least or --fresh: wait at most TIME [default: 5s, with --fresh 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l count -d 'Only how many rows'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l explain -d 'Only how the rows are found: by which index'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l fresh -d 'Catch up first: run the program that makes the projection, or wait for who runs it'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l allow -d 'Run the remembered program this once, even if it was neither given nor allowed here'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from select" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l set -d 'What is set: \'field = expression, …\'' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l where -d 'Only rows that this is true of' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l with -d 'Give the parameter :NAME of an expression a value; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l dry-run -d 'Only tell how many rows it would be'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from update" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -l with -d 'Give the parameter :NAME of an expression a value; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -l dry-run -d 'Only tell how many rows it would be'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand project; and __fish_seen_subcommand_from delete" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -f -a "list" -d 'List what follows the log: subscriptions and projections'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -f -a "show" -d 'Show a subscription or a projection: how far it has come'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -f -a "seek" -d 'Move a subscription to a place in the log'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -f -a "ack" -d 'Mark the events of a subscription as done up to a position'
complete -c ream -n "__fish_ream_using_subcommand subscription; and not __fish_seen_subcommand_from list show seek ack rm" -f -a "rm" -d 'Remove a subscription; the events stay'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from seek" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from ack" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Do not ask'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -l dry-run -d 'Only print what would be removed'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand subscription; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand serve" -l unix -d 'Listen on a Unix socket at PATH, for the user who runs this; may be given several times' -r -F
complete -c ream -n "__fish_ream_using_subcommand serve" -l tcp -d 'Listen at ADDR, an address and a port of TCP such as 127.0.0.1:7326; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l http -d 'Serve HTTP at ADDR, such as 127.0.0.1:7327; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l token-file -d 'Know clients by the tokens in FILE; with it another user may use a Unix socket with a token' -r -F
complete -c ream -n "__fish_ream_using_subcommand serve" -l tls-cert -d 'Speak TLS over TCP and HTTP, with the certificate in FILE (PEM, with those that vouch for it)' -r -F
complete -c ream -n "__fish_ream_using_subcommand serve" -l tls-key -d 'The certificate\'s key (PEM, for you alone: mode 600)' -r -F
complete -c ream -n "__fish_ream_using_subcommand serve" -l allow-host -d 'Take HTTP requests for the host NAME; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l allow-origin -d 'Take HTTP requests from pages of ORIGIN, a scheme and a host; may be given several times' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l max-connections -d 'At most N connections at once; the next takes the place of one that has been silent for ten seconds and follows nothing' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l max-memory -d 'Keep at most SIZE of payloads and answers in memory; who sends more waits [default: 256MiB]' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l request-timeout -d 'Interrupt a request, other than to publish, that takes longer than TIME [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l keep-alive -d 'Ask a client that has been silent for TIME whether it is there [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l ping-timeout -d 'End a connection whose client has not answered that within TIME [default: 5s]' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l grace -d 'When it is to end, wait at most TIME for connections to end [default: 10s]' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand serve" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand serve" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand serve" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand serve" -l no-token -d 'Let whoever reaches an address of TCP do everything without a token; only where that is this machine'
complete -c ream -n "__fish_ream_using_subcommand serve" -l read-only -d 'Let clients read and follow, and change nothing'
complete -c ream -n "__fish_ream_using_subcommand serve" -l plain-tcp -d 'Let other machines connect without TLS: whoever is on the way reads the tokens, and all else'
complete -c ream -n "__fish_ream_using_subcommand serve" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand serve" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand serve" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand status" -l max-lag -d 'With --check: at most N events behind, for everything that follows the log' -r
complete -c ream -n "__fish_ream_using_subcommand status" -l max-age -d 'With --check: no event waits longer than TIME for anything that follows the log' -r
complete -c ream -n "__fish_ream_using_subcommand status" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand status" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand status" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand status" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand status" -l check -d 'Print in one line whether something needs a person, as `doctor` finds it; exit with 1 if so'
complete -c ream -n "__fish_ream_using_subcommand status" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand status" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand status" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand verify" -l from -d 'Check only events from POS on' -r
complete -c ream -n "__fish_ream_using_subcommand verify" -l against -d 'Check that the log still begins as it was at this head: LINK/POSITION, or @FILE with the output of `ream status --json`' -r
complete -c ream -n "__fish_ream_using_subcommand verify" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand verify" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand verify" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand verify" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand verify" -l quick -d 'Check only what was acknowledged, the head and the last 10,000 events'
complete -c ream -n "__fish_ream_using_subcommand verify" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand verify" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand verify" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand export" -l out -d 'Write to FILE, replacing it when the export is complete; - for standard output' -r -F
complete -c ream -n "__fish_ream_using_subcommand export" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand export" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand export" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand export" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand export" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand export" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand export" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand import" -l from -d 'What wrote the input' -r -f -a "export\t'`ream export`'
cloudevents\t'Anything that writes CloudEvents 1.0, one per line'"
complete -c ream -n "__fish_ream_using_subcommand import" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand import" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand import" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand import" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand import" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand import" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand import" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand compact" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand compact" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand compact" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand compact" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand compact" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand compact" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand compact" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand compact" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand doctor" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand doctor" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand doctor" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand doctor" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand doctor" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand doctor" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand backup" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand backup" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand backup" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand backup" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand backup" -l projections -d 'Copy the rows of projections as well'
complete -c ream -n "__fish_ream_using_subcommand backup" -l damaged -d 'Take a store that has lost what was acknowledged as it is'
complete -c ream -n "__fish_ream_using_subcommand backup" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand backup" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand backup" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand restore" -l until -d 'End the log at POS, inclusive, or at the last event recorded at TIME or before' -r
complete -c ream -n "__fish_ream_using_subcommand restore" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand restore" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand restore" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand restore" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand restore" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand restore" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand restore" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand log" -s n -l last -d 'Only the last N acts' -r
complete -c ream -n "__fish_ream_using_subcommand log" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand log" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand log" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand log" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand log" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand log" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand log" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand completions" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand completions" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand completions" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand completions" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand completions" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand completions" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand completions" -s V -l version -d 'Print version'
complete -c ream -n "__fish_ream_using_subcommand man" -l directory -d 'Write all pages into DIR' -r -F
complete -c ream -n "__fish_ream_using_subcommand man" -l store -d 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]' -r -F
complete -c ream -n "__fish_ream_using_subcommand man" -l format -d 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]' -r -f -a "table\t'For the eye'
json\t'One JSON value'
jsonl\t'One JSON value per line'
csv\t'Comma-separated values; for `project select` only'
cloudevents\t'One CloudEvent per line; for `read` and `tail` only'"
complete -c ream -n "__fish_ream_using_subcommand man" -l color -d 'Use color' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c ream -n "__fish_ream_using_subcommand man" -l lock-timeout -d 'Wait at most TIME for other writers [default: 30s]' -r
complete -c ream -n "__fish_ream_using_subcommand man" -l json -d 'Show results as JSON, as --format json does'
complete -c ream -n "__fish_ream_using_subcommand man" -s q -l quiet -d 'Say nothing but results and errors'
complete -c ream -n "__fish_ream_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ream -n "__fish_ream_using_subcommand man" -s V -l version -d 'Print version'
