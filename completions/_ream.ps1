
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'ream' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'ream'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'ream' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Make a store')
            [CompletionResult]::new('append', 'append', [CompletionResultType]::ParameterValue, 'Append events to streams')
            [CompletionResult]::new('read', 'read', [CompletionResultType]::ParameterValue, 'Read the events that are there')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Read the events that are there, then follow')
            [CompletionResult]::new('stream', 'stream', [CompletionResultType]::ParameterValue, 'Look at streams, protect them, remove what they hold')
            [CompletionResult]::new('state', 'state', [CompletionResultType]::ParameterValue, 'Look at states, store them, remove them')
            [CompletionResult]::new('decide', 'decide', [CompletionResultType]::ParameterValue, 'Have an aggregator decide a command, and store what it answers')
            [CompletionResult]::new('project', 'project', [CompletionResultType]::ParameterValue, 'Make projections, fill them, search them')
            [CompletionResult]::new('subscription', 'subscription', [CompletionResultType]::ParameterValue, 'Look at what follows the log, and move it')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show how the store stands')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Write the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the manual')
            break
        }
        'ream;init' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;append' {
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Append the events in FILE, one line of JSON each; - reads standard input')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What the stream must be: any, no-stream, exists, or at version N')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Idempotency key: the same again answers with the first append')
            [CompletionResult]::new('--meta', '--meta', [CompletionResultType]::ParameterName, 'The event''s metadata, a JSON object')
            [CompletionResult]::new('--correlation', '--correlation', [CompletionResultType]::ParameterName, 'Put correlation_id into the metadata')
            [CompletionResult]::new('--causation', '--causation', [CompletionResultType]::ParameterName, 'Put causation_id into the metadata')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'When it happened, in RFC 3339 [default: when it is recorded]')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Store the stream''s new state with the event: JSON, @FILE, or -; needs --expect N or no-stream')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--atomic', '--atomic', [CompletionResultType]::ParameterName, 'Append all of them or none')
            [CompletionResult]::new('--base64', '--base64', [CompletionResultType]::ParameterName, 'DATA is base64 of bytes that are no JSON')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;read' {
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Only what follows POS: a position, or @N for a version of the one stream read')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Only POS and what follows it')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Only what comes up to POS, or has a time up to TIME, inclusive')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only what has a time since TIME, or so long ago: 10m')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only the last N of the events that are there')
            [CompletionResult]::new('--last', '--last', [CompletionResultType]::ParameterName, 'Only the last N of the events that are there')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most N events')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only events of type T; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;tail' {
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Only what follows POS: a position, or @N for a version of the one stream read')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Only POS and what follows it')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Only what comes up to POS, or has a time up to TIME, inclusive')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only what has a time since TIME, or so long ago: 10m')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only the last N of the events that are there')
            [CompletionResult]::new('--last', '--last', [CompletionResultType]::ParameterName, 'Only the last N of the events that are there')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most N events')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only events of type T; may be given several times')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'With a program: give it TIME to end when ream is interrupted [default: 5s]')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Follow as the subscription NAME, from where it is')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Run the program once for up to N events that are there; its exit with 0 acks them')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'Start a program that fails again, N times [default: 5]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait at most TIME for who runs it already [default: not at all]')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--new', '--new', [CompletionResultType]::ParameterName, 'Only what is stored from now on')
            [CompletionResult]::new('--allow-loop', '--allow-loop', [CompletionResultType]::ParameterName, 'With --as: let the program answer with events that it follows itself')
            [CompletionResult]::new('--until-caught-up', '--until-caught-up', [CompletionResultType]::ParameterName, 'End when nothing is left to do')
            [CompletionResult]::new('--per-event', '--per-event', [CompletionResultType]::ParameterName, 'Run the program once an event; its exit with 0 acks it')
            [CompletionResult]::new('--markers', '--markers', [CompletionResultType]::ParameterName, 'Tell the program from where to which head it is told, and when it has caught up')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;stream' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List streams by name')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show a stream')
            [CompletionResult]::new('protect', 'protect', [CompletionResultType]::ParameterValue, 'Protect streams from removal')
            [CompletionResult]::new('unprotect', 'unprotect', [CompletionResultType]::ParameterValue, 'Allow the removal of streams again')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove what streams hold')
            break
        }
        'ream;stream;list' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;stream;show' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;stream;protect' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;stream;unprotect' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;stream;rm' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only tell what would be removed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;state' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show the state of a stream')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Store the state of a stream, without an event')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove the states of streams; their events stay')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List states by stream; without a pattern, how many each category has')
            break
        }
        'ream;state;get' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Only the data, as they are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;state;set' {
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What the stream must be: any, no-stream, exists, or at version N')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'The version that the state reflects [default: the stream''s]')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--base64', '--base64', [CompletionResultType]::ParameterName, 'DATA is base64 of bytes that are no JSON')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;state;rm' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only tell what would be removed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;state;list' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;decide' {
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Idempotency key: the same command again gets the first answer')
            [CompletionResult]::new('--attempts', '--attempts', [CompletionResultType]::ParameterName, 'Decide at most N times when other writers are faster')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give the program TIME to answer')
            [CompletionResult]::new('--correlation', '--correlation', [CompletionResultType]::ParameterName, 'Put correlation_id into the metadata of the events')
            [CompletionResult]::new('--causation', '--causation', [CompletionResultType]::ParameterName, 'Put causation_id into the metadata of the events')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--serve', '--serve', [CompletionResultType]::ParameterName, 'Decide the commands that come on standard input, with one program for all')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be stored, as lines for append --jsonl')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a projection')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'Drop a projection and its rows; the events stay')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the projections')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show a projection: its fields, how many rows it has, how far it has come')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run the program that makes a projection')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Insert rows, or replace those with their keys')
            [CompletionResult]::new('select', 'select', [CompletionResultType]::ParameterValue, 'Search a projection')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Set fields of rows')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete rows')
            break
        }
        'ream;project;create' {
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The fields of the key, with commas between them, where they are several')
            [CompletionResult]::new('--unique', '--unique', [CompletionResultType]::ParameterName, 'Fields that no two rows have the same values in; may be given several times')
            [CompletionResult]::new('--index', '--index', [CompletionResultType]::ParameterName, 'Fields that rows are found by; may be given several times')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Make it from these streams; `*` stands for any characters; may be given several times')
            [CompletionResult]::new('--schema', '--schema', [CompletionResultType]::ParameterName, 'Take everything from FILE, as `project show --format json` writes it; - for standard input')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;drop' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only tell what would be dropped')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;list' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;show' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--sql', '--sql', [CompletionResultType]::ParameterName, 'Only the statements that make a table like it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;run' {
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Run the program once for up to N events that are there; its exit with 0 acks them')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'Start a program that fails again, N times [default: 5]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait at most TIME for who runs it already [default: not at all]')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'Give the program TIME to end when ream is interrupted [default: 5s]')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--until-caught-up', '--until-caught-up', [CompletionResultType]::ParameterName, 'End when nothing is left to do')
            [CompletionResult]::new('--per-event', '--per-event', [CompletionResultType]::ParameterName, 'Run the program once an event; its exit with 0 acks it')
            [CompletionResult]::new('--markers', '--markers', [CompletionResultType]::ParameterName, 'Tell the program from where to which head it is told, and when it has caught up')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;set' {
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Set the rows in FILE, one JSON object a line; - for standard input. Committed as they come')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--atomic', '--atomic', [CompletionResultType]::ParameterName, 'With --jsonl: all of them or none')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;select' {
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'Give the parameter :NAME of an expression a value; may be given several times')
            [CompletionResult]::new('--fields', '--fields', [CompletionResultType]::ParameterName, 'Only these fields, in this order, with commas between them')
            [CompletionResult]::new('--order-by', '--order-by', [CompletionResultType]::ParameterName, 'Order by these fields; the largest first behind a -; null goes before all others')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most N rows')
            [CompletionResult]::new('--offset', '--offset', [CompletionResultType]::ParameterName, 'Pass over N rows')
            [CompletionResult]::new('--at-least', '--at-least', [CompletionResultType]::ParameterName, 'Wait until the projection has all that matters to it up to POSITION')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'With --at-least or --fresh: wait at most TIME [default: 5s, with --fresh 30s]')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Only how many rows')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Only how the rows are found: by which index')
            [CompletionResult]::new('--fresh', '--fresh', [CompletionResultType]::ParameterName, 'Catch up first: run the program that makes the projection, or wait for who runs it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;update' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'What is set: ''field = expression, …''')
            [CompletionResult]::new('--where', '--where', [CompletionResultType]::ParameterName, 'Only rows that this is true of')
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'Give the parameter :NAME of an expression a value; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only tell how many rows it would be')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;project;delete' {
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'Give the parameter :NAME of an expression a value; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only tell how many rows it would be')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;subscription' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List what follows the log: subscriptions and projections')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show a subscription or a projection: how far it has come')
            [CompletionResult]::new('seek', 'seek', [CompletionResultType]::ParameterValue, 'Move a subscription to a place in the log')
            [CompletionResult]::new('ack', 'ack', [CompletionResultType]::ParameterValue, 'Tell that a subscription''s events are done up to a position')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove a subscription; the events stay')
            break
        }
        'ream;subscription;list' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;subscription;show' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;subscription;seek' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;subscription;ack' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;subscription;rm' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only tell what would be removed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;status' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;completions' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ream;man' {
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Write all pages into DIR')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show results as FORMAT [default: table on a terminal, jsonl elsewhere]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use color')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Wait at most TIME for other writers [default: 30s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Show results as JSON, as --format json does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
