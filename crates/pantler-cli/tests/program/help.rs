//! What `--help` says, command by command.

use insta::assert_snapshot;

use crate::support::Place;

/// Returns a command's help without the options that all commands have, which must be there.
fn help(command: &str) -> String {
    let text = Place::new().ok(&format!("{command} --help"));
    let (own, everywhere) = text
        .split_once("\nEverywhere:\n")
        .expect("it has the common options");
    for option in ["--json", "--stats", "-q, --quiet", "--no-color"] {
        assert!(everywhere.contains(option), "{option}");
    }
    // The blank line that stands between a text and its values has blanks.
    own.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn pantler() {
    assert_snapshot!(Place::new().ok("--help"), @"
    Data access for science pipelines: ask for what, not for where it lies.

    A word that looks like key=value is a data-ID key; write ./a=b.fits for a file of such a name. After
    -- all are files.

    Usage: pantler [OPTIONS] <COMMAND>

    Commands:
      init         Make a repository
      ingest       Take files that exist into a repository
      put          Put what a file holds, all or nothing
      link         Record parts that were put one by one as a composite; nothing is rewritten
      get          Write a dataset, or a part of one, to a file
      explain      Show what a get would read from where, or what a put would write, without doing it
      query        List datasets
      show         Show what is in a repository, what a dataset is, or what a file is
      diff         Compare two stages or types, component by component
      export       Write a dataset as one self-contained file that says what each of its components was
      transfer     Bring datasets, with all that they need and nothing else, into another repository
      alias        List the aliases of a repository, or say what an unqualified name means in it
      rm           Remove a dataset
      gc           Clear what crashes left behind, and replaced files that no composition uses
      fsck         Check that a repository's index and its files agree
      policy       Check policies, or show what they say
      registry     Look after a repository's index
      demo         Show what composites are for, on a simulated survey in a folder of its own
      completions  Print what a shell needs to complete commands and options
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Everywhere:
          --json
              Print one JSON document instead of text; errors are one JSON object on standard error

          --stats
              Print what it cost as the last line on standard error

      -q, --quiet
              Print no remarks, no warnings, no progress

          --no-color
              Print without colours
    ");
}

#[test]
fn init() {
    assert_snapshot!(help("init"), @"
    Make a repository

    Usage: pantler init [OPTIONS] <REPO>

    Arguments:
      <REPO>  The folder that becomes a repository

    Options:
          --policy <FILE>  A policy file to copy into it; repeatable, the last one wins
          --parent <REPO>  A repository that it builds on; repeatable, searched in this order
          --tag <TAG>      A tag for it, by which a search can be narrowed to it with tag=TAG;
                           repeatable
      -h, --help           Print help
    ");
}

#[test]
fn ingest() {
    assert_snapshot!(help("ingest"), @"
    Take files that exist into a repository

    Usage: pantler ingest [OPTIONS] <REPO> <TYPE> <FILE>... [key=value]... [-- <FILE>...]

    Arguments:
      <REPO>
              The repository: a folder made by `pantler init`

      <TYPE>
              The dataset type that the files are

      [FILE|key=value]...
              The files, and keys that all of them have; the other keys are read from headers and paths

              With --mode in-place, no file at all means every file that lies where the template puts
              it.

      [FILE]...
              After --: files, whatever their names look like

    Options:
          --input <REPO>
              A further repository to read from; repeatable, searched in this order

          --output <REPO>
              A further repository to write to, and to be searched before the inputs; repeatable

          --inputs-in-order
              Let the order of the inputs decide where two of them hold different content

          --mode <MODE>
              What happens to the files

              Possible values:
              - copy:     They are copied to where the template puts them
              - move:     They are copied, and the originals removed once the copies are safe
              - link:     They get a further name (a hard link) where the template puts them
              - in-place: They stay where they are

              [default: copy]

          --digest
              Compute digests now, where they would be computed later

          --table <FILE>
              A table (CSV, FITS, Parquet) that says the data ID of each file: its column `file` names
              the files, relative to the table, and every other column is a key; without FILE, all of
              its files are ingested

          --notes <key=value>
              A note to keep with it; repeatable

          --add-parents
              Let the repository have the inputs as further parents

      -h, --help
              Print help (see a summary with '-h')

    Code of others:
          --trust <REPO|MODULE>
              Run code that a policy of others names: all that this repository asks for, or that of this
              module; repeatable

          --allow-pickle
              Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn put() {
    assert_snapshot!(help("put"), @"
    Put what a file holds, all or nothing

    Usage: pantler put [OPTIONS] <REPO> <NAME> <FILE> <key=value>...

    Arguments:
      <REPO>               The repository: a folder made by `pantler init`
      <NAME>               The dataset: type[:stage][.component]
      [FILE|key=value]...  The file, and the data ID
      [FILE]...            After --: files, whatever their names look like

    Options:
          --input <REPO>                   A further repository to read from; repeatable, searched in
                                           this order
          --output <REPO>                  A further repository to write to, and to be searched before
                                           the inputs; repeatable
          --inputs-in-order                Let the order of the inputs decide where two of them hold
                                           different content
          --replace                        Replace another dataset under the same data ID; the new one
                                           has an identity of its own
          --drop-input-only                Go on where an input-only component was changed, and lose
                                           that change
          --made-from <NAME key=value>...  A dataset that it was made from, its name and data ID;
                                           repeatable
          --with <COMPONENT=FILE>          The file of a component that is an operation on the object,
                                           such as a background; repeatable
          --notes <key=value>              A note to keep with it; repeatable
          --add-parents                    Let the repository have the inputs as further parents
      -h, --help                           Print help

    Code of others:
          --trust <REPO|MODULE>  Run code that a policy of others names: all that this repository asks
                                 for, or that of this module; repeatable
          --allow-pickle         Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn link() {
    assert_snapshot!(help("link"), @r#"
    Record parts that were put one by one as a composite; nothing is rewritten

    With --where every composite that could be assembled and fits is recorded, and the JSON document is
    a list.

    Usage: pantler link [OPTIONS] <REPO> <NAME> [key=value]...

    Arguments:
      <REPO>
              The repository: a folder made by `pantler init`

      <NAME>
              The dataset: type[:stage][.component]

      [key=value]...
              The data ID

    Options:
          --input <REPO>
              A further repository to read from; repeatable, searched in this order

          --output <REPO>
              A further repository to write to, and to be searched before the inputs; repeatable

          --inputs-in-order
              Let the order of the inputs decide where two of them hold different content

          --where <EXPR>
              Only datasets for which this holds, for instance "visit > 100 and filter in ('g', 'r')"

          --notes <key=value>
              A note to keep with it; repeatable

          --add-parents
              Let the repository have the inputs as further parents

      -h, --help
              Print help (see a summary with '-h')

    Code of others:
          --trust <REPO|MODULE>
              Run code that a policy of others names: all that this repository asks for, or that of this
              module; repeatable

          --allow-pickle
              Read pickles, which run whatever code stands in them
    "#);
}

#[test]
fn get() {
    assert_snapshot!(help("get"), @r#"
    Write a dataset, or a part of one, to a file

    With --where, several --bbox, or --components, --out is a folder: one file is written into it for
    each dataset that fits, each box and each component, named from them, and the JSON document is a
    list. What several boxes or components need of one file is read together.

    Usage: pantler get [OPTIONS] --out <FILE|DIR> <REPO> <NAME> [key=value]...

    Arguments:
      <REPO>
              The repository: a folder made by `pantler init`

      <NAME>
              The dataset: type[:stage][.component]

      [key=value]...
              The data ID

    Options:
          --input <REPO>
              A further repository to read from; repeatable, searched in this order

          --output <REPO>
              A further repository to write to, and to be searched before the inputs; repeatable

          --inputs-in-order
              Let the order of the inputs decide where two of them hold different content

          --out <FILE|DIR>
              The file to write, its extension decides the format; with --where, several --bbox or
              --components, the folder

          --where <EXPR>
              Only datasets for which this holds, for instance "visit > 100 and filter in ('g', 'r')"

          --bbox <X0,Y0,W,H>
              Only these pixels, in the parent's coordinates; repeat it for several cutouts

          --components <A,B>
              These components, each in a file of its own

          --columns <A,B>
              Only these columns

          --rows <FIRST:END,...>
              Only these rows, counted from 0 and without the END: 0:10 are the first ten

          --composition <HOW>
              How a composite's parts are found: as they were recorded, or by lookup as if nothing had
              been recorded

              [default: recorded]
              [possible values: recorded, lookup]

      -h, --help
              Print help (see a summary with '-h')

    Code of others:
          --trust <REPO|MODULE>
              Run code that a policy of others names: all that this repository asks for, or that of this
              module; repeatable

          --allow-pickle
              Read pickles, which run whatever code stands in them
    "#);
}

#[test]
fn explain() {
    assert_snapshot!(help("explain"), @"
    Show what a get would read from where, or what a put would write, without doing it

    Usage: pantler explain [OPTIONS] <REPO> <NAME> [key=value]...

    Arguments:
      <REPO>          The repository: a folder made by `pantler init`
      <NAME>          The dataset: type[:stage][.component]
      [key=value]...  The data ID

    Options:
          --input <REPO>       A further repository to read from; repeatable, searched in this order
          --output <REPO>      A further repository to write to, and to be searched before the inputs;
                               repeatable
          --inputs-in-order    Let the order of the inputs decide where two of them hold different
                               content
          --put                Show where a put would go and what would be refused
          --composition <HOW>  How a composite's parts are found: as they were recorded, or by lookup as
                               if nothing had been recorded [default: recorded] [possible values:
                               recorded, lookup]
      -h, --help               Print help

    Code of others:
          --trust <REPO|MODULE>  Run code that a policy of others names: all that this repository asks
                                 for, or that of this module; repeatable
          --allow-pickle         Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn query() {
    assert_snapshot!(help("query"), @r#"
    List datasets

    Usage: pantler query [OPTIONS] <REPO> [NAME] [key=value]...

    Arguments:
      <REPO>               The repository: a folder made by `pantler init`
      [NAME|key=value]...  The dataset type, all types if left out; and keys that must have these values

    Options:
          --input <REPO>                   A further repository to read from; repeatable, searched in
                                           this order
          --output <REPO>                  A further repository to write to, and to be searched before
                                           the inputs; repeatable
          --inputs-in-order                Let the order of the inputs decide where two of them hold
                                           different content
          --where <EXPR>                   Only datasets for which this holds, for instance "visit > 100
                                           and filter in ('g', 'r')"
          --order-by <K,-K>                Keys to order by, descending with a - before them
          --limit <N>                      At most so many
          --made-from <NAME key=value>...  Only what was made from this dataset: its name and data ID
          --used-by <NAME key=value>...    Only what this dataset was made from: its name and data ID
      -h, --help                           Print help

    Code of others:
          --trust <REPO|MODULE>  Run code that a policy of others names: all that this repository asks
                                 for, or that of this module; repeatable
          --allow-pickle         Read pickles, which run whatever code stands in them
    "#);
}

#[test]
fn show() {
    assert_snapshot!(help("show"), @"
    Show what is in a repository, what a dataset is, or what a file is

    With --png a picture is written. Of an image: asinh stretch between the 2nd and the 99.7th
    percentile, mask planes as translucent colours, y upwards, at most 1024 pixels wide and high, with a
    compass and a bar for the scale where there is a WCS. Of a point spread function: the image of a
    star at the mean position of those that it was made of. Of a background: the image that was
    subtracted. Of a table: its positions on the sky, or a histogram of one column.

    Usage: pantler show [OPTIONS] <REPO>
           pantler show [OPTIONS] <REPO> <NAME> <key=value>... [--png <FILE>]
           pantler show [OPTIONS] --file <FILE> [--component <NAME>] [--png <FILE>]

    Arguments:
      [REPO]
              The repository: a folder made by `pantler init`

      [NAME]
              The dataset: type[:stage][.component]

      [key=value]...
              The data ID

    Options:
          --input <REPO>
              A further repository to read from; repeatable, searched in this order

          --output <REPO>
              A further repository to write to, and to be searched before the inputs; repeatable

          --inputs-in-order
              Let the order of the inputs decide where two of them hold different content

          --file <FILE>
              Show this file, which need not be in a repository

          --hdu <N>
              Show this HDU of the file alone, counted from 0

          --component <NAME>
              Show this component of the file alone: `psf`, `wcs`, `detector.bbox`

          --png <FILE>
              Write a picture

          --column <NAME>
              Draw a histogram of this column of a table

          --ignore-mask <PLANES>
              Mask planes whose pixels do not count in statistics, or `none`; else those that mark bad
              pixels

          --all
              Print everything: all header cards, columns, flags, archive objects

      -h, --help
              Print help (see a summary with '-h')

    Code of others:
          --trust <REPO|MODULE>
              Run code that a policy of others names: all that this repository asks for, or that of this
              module; repeatable

          --allow-pickle
              Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn export() {
    assert_snapshot!(help("export"), @"
    Write a dataset as one self-contained file that says what each of its components was

    Usage: pantler export [OPTIONS] --out <FILE> <REPO> <NAME> [key=value]...

    Arguments:
      <REPO>          The repository: a folder made by `pantler init`
      <NAME>          The dataset: type[:stage][.component]
      [key=value]...  The data ID

    Options:
          --input <REPO>     A further repository to read from; repeatable, searched in this order
          --output <REPO>    A further repository to write to, and to be searched before the inputs;
                             repeatable
          --inputs-in-order  Let the order of the inputs decide where two of them hold different content
          --out <FILE>       The file to write; its extension decides the format
      -h, --help             Print help

    Code of others:
          --trust <REPO|MODULE>  Run code that a policy of others names: all that this repository asks
                                 for, or that of this module; repeatable
          --allow-pickle         Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn rm() {
    assert_snapshot!(help("rm"), @"
    Remove a dataset

    Usage: pantler rm [OPTIONS] <REPO> <NAME> [key=value]...

    Arguments:
      <REPO>          The repository: a folder made by `pantler init`
      <NAME>          The dataset: type[:stage][.component]
      [key=value]...  The data ID

    Options:
          --input <REPO>     A further repository to read from; repeatable, searched in this order
          --output <REPO>    A further repository to write to, and to be searched before the inputs;
                             repeatable
          --inputs-in-order  Let the order of the inputs decide where two of them hold different content
          --force            Remove it even if recorded composites use it; getting these fails from then
                             on
          --dry-run          Only say what would be removed
      -h, --help             Print help

    Code of others:
          --trust <REPO|MODULE>  Run code that a policy of others names: all that this repository asks
                                 for, or that of this module; repeatable
          --allow-pickle         Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn fsck() {
    assert_snapshot!(help("fsck"), @"
    Check that a repository's index and its files agree

    The exit status is 1 if something is wrong; files left behind by a crash alone do no harm and are 0.

    Usage: pantler fsck [OPTIONS] <REPO>

    Arguments:
      <REPO>
              The repository: a folder made by `pantler init`

    Options:
          --input <REPO>
              A further repository to read from; repeatable, searched in this order

          --output <REPO>
              A further repository to write to, and to be searched before the inputs; repeatable

          --inputs-in-order
              Let the order of the inputs decide where two of them hold different content

          --deep
              Read every file; compare its digest, and DATASUM and CHECKSUM of FITS

          --repair
              Remove what crashes left behind, finish interrupted replacements, and with --deep mend
              what is known of files' parts

      -h, --help
              Print help (see a summary with '-h')

    Code of others:
          --trust <REPO|MODULE>
              Run code that a policy of others names: all that this repository asks for, or that of this
              module; repeatable

          --allow-pickle
              Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn policy_check() {
    assert_snapshot!(help("policy check"), @"
    Find all that is wrong in policy files, which are merged in this order

    The exit status is 1 if anything is found, warnings included.

    Usage: pantler policy check [OPTIONS] <FILE>...

    Arguments:
      <FILE>...
              Policy files

    Options:
          --parent <REPO>
              A repository that the policy's own builds on; repeatable

      -h, --help
              Print help (see a summary with '-h')
    ");
}

#[test]
fn policy_show() {
    assert_snapshot!(help("policy show"), @"
    Show the definitions that a repository and its parents have, each key with the line that gives it

    Usage: pantler policy show [OPTIONS] <REPO> [NAME]

    Arguments:
      <REPO>  The repository: a folder made by `pantler init`
      [NAME]  The dataset type; all of them in a table if left out

    Options:
          --input <REPO>     A further repository to read from; repeatable, searched in this order
          --output <REPO>    A further repository to write to, and to be searched before the inputs;
                             repeatable
          --inputs-in-order  Let the order of the inputs decide where two of them hold different content
      -h, --help             Print help

    Code of others:
          --trust <REPO|MODULE>  Run code that a policy of others names: all that this repository asks
                                 for, or that of this module; repeatable
          --allow-pickle         Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn policy_schema() {
    assert_snapshot!(help("policy schema"), @"
    Print the JSON Schema of the policy format, by which editors complete and check

    Usage: pantler policy schema [OPTIONS]

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn completions() {
    assert_snapshot!(help("completions"), @"
    Print what a shell needs to complete commands and options

    Usage: pantler completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn gc() {
    assert_snapshot!(help("gc"), @"
    Clear what crashes left behind, and replaced files that no composition uses

    Nothing that a dataset or a recorded composition uses is removed, and no file of your own.

    Usage: pantler gc [OPTIONS] <REPO>

    Arguments:
      <REPO>
              The repository: a folder made by `pantler init`

    Options:
          --input <REPO>
              A further repository to read from; repeatable, searched in this order

          --output <REPO>
              A further repository to write to, and to be searched before the inputs; repeatable

          --inputs-in-order
              Let the order of the inputs decide where two of them hold different content

          --dry-run
              Only say what would go

          --grace <DAYS>
              Keep what was made in the last so many days: a process on another machine may still be at
              it

              [default: 14]

      -h, --help
              Print help (see a summary with '-h')

    Code of others:
          --trust <REPO|MODULE>
              Run code that a policy of others names: all that this repository asks for, or that of this
              module; repeatable

          --allow-pickle
              Read pickles, which run whatever code stands in them
    ");
}

#[test]
fn registry_migrate() {
    assert_snapshot!(help("registry migrate"), @"
    Bring the index of an older pantler to the schema of this one, all or nothing

    Older versions of pantler cannot open it afterwards. The files of the repository are not touched.

    Usage: pantler registry migrate [OPTIONS] <REPO>

    Arguments:
      <REPO>
              The repository

    Options:
      -h, --help
              Print help (see a summary with '-h')
    ");
}

#[test]
fn transfer() {
    assert_snapshot!(help("transfer"), @r#"
    Bring datasets, with all that they need and nothing else, into another repository

    Where only a part is needed of a file, as the calibration of an exposure by its catalog, that part
    alone is brought: the exposure itself does not exist in the target. All of it is brought, or
    nothing.

    Usage: pantler transfer [OPTIONS] <SOURCE> <TARGET> <NAME>... [key=value]...

    Arguments:
      <SOURCE>
              The repository that has them; its parents are searched as well

      <TARGET>
              The repository to bring them to; a folder that does not exist, or is empty, becomes one

      <NAME|key=value>...
              The dataset types, with stage or component; and keys that their datasets must have

    Options:
          --where <EXPR>
              Only datasets for which this holds, for instance "visit > 100 and filter in ('g', 'r')"

          --by <BY>
              What becomes of the artifacts

              Possible values:
              - copy:      They are copied, so that the target stands alone
              - reference: They stay where they are, and the target names those places

              [default: copy]

          --merge
              Add to a target that holds datasets already; the same are left out, others under the same
              data ID are an error

          --dry-run
              Only say what would be brought, and how many bytes that takes

          --notes <key=value>
              A note to keep with it; repeatable

          --input <REPO>
              A further repository to read from; repeatable, searched in this order

          --output <REPO>
              A further repository to write to, and to be searched before the inputs; repeatable

          --inputs-in-order
              Let the order of the inputs decide where two of them hold different content

      -h, --help
              Print help (see a summary with '-h')

    Code of others:
          --trust <REPO|MODULE>
              Run code that a policy of others names: all that this repository asks for, or that of this
              module; repeatable

          --allow-pickle
              Read pickles, which run whatever code stands in them
    "#);
}
