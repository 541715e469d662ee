//! Few values, one value, no value, and values that are none.

use switchback_core::verdict::Verdict;
use switchback_statistics::{
    DistributionOptions, DistributionPlan, Ensemble, Ensembles, NotCompared, PairFinding, Proof, Random,
    judge,
};

use super::{Law, ensemble, judge_all, judge_one};

fn normal(seed: u64, size: usize) -> Vec<f64> {
    Law::Normal.sample(&mut Random::new(seed, 0), size)
}

#[track_caller]
fn check(old: &[f64], new: &[f64], wanted: Verdict) {
    let column = judge_one(old, new);
    assert_eq!(column.verdict, wanted, "{column:#?}");
    // A decided column needs nothing more, and none is decided by a criterion that is not.
    assert_eq!(column.more_replicates == Some(0), wanted != Verdict::Unknown, "{column:#?}");
    let criteria = [column.mean.verdict, column.sd.verdict, column.ks.verdict];
    assert_eq!(Verdict::all(criteria), wanted, "{column:#?}");
}

#[test]
fn nothing_and_almost_nothing_are_unknown() {
    check(&[], &[], Verdict::Unknown);
    check(&[1.0], &[], Verdict::Unknown);
    check(&[1.0], &[1.0], Verdict::Unknown);
    check(&[1.0], &[2.0], Verdict::Unknown);
    check(&[1.0, 2.0], &[1.0, 2.0], Verdict::Unknown);
    check(&[1.0; 5], &[1.0; 5], Verdict::Unknown);
    check(&[1.0], &normal(1, 1000), Verdict::Unknown);
}

#[test]
fn constants_are_equal_or_different_when_there_are_enough_of_them() {
    check(&[0.1; 1000], &[0.1; 1000], Verdict::Yes);
    check(&[0.1; 1000], &[0.2; 1000], Verdict::No);
    check(&[0.1; 2], &[0.2; 2], Verdict::Unknown);
    check(&[0.1; 20], &normal(1, 20), Verdict::No);
    check(&normal(1, 20), &[0.1; 20], Verdict::No);
    assert_eq!(judge_one(&[0.1; 9], &[0.2; 9]).mean.difference, Some(f64::INFINITY));
    assert_eq!(judge_one(&[0.1; 9], &[-0.2; 9]).mean.difference, Some(f64::NEG_INFINITY));
}

#[test]
fn a_rare_value_that_one_side_lacks_is_no_proof_of_a_spread() {
    let mut rare = vec![0.0; 500];
    rare[7] = 1.0;
    check(&rare, &[0.0; 500], Verdict::Unknown);
    check(&[0.0; 500], &rare, Verdict::Unknown);
    let column = judge_one(&rare, &[0.0; 500]);
    assert!(column.more_replicates.unwrap() > 500, "{column:#?}");
}

#[test]
fn the_same_replicates_are_yes_when_they_are_many() {
    let old = normal(1, 600);
    let mut new = old.clone();
    new.reverse();
    check(&old, &new, Verdict::Yes);
    let column = judge_one(&old, &new);
    assert_eq!((column.mean.difference, column.ks.statistic), (Some(0.0), Some(0.0)));
    check(&old[..30], &old[..30], Verdict::Unknown);
    let few = judge_one(&old[..30], &old[..30]);
    assert!(few.why.unwrap().starts_with("the replicates of both sides are the same"));
}

#[test]
fn two_values_as_often_as_each_other_are_judged_too() {
    // Their kurtosis is the smallest there is, and no influence is left.
    let coin = [0.0, 1.0].repeat(500);
    check(&coin, &coin, Verdict::Yes);
    let column = judge_one(&coin[..40], &coin[..60]);
    assert_eq!(column.verdict, Verdict::Unknown);
    assert!(column.more_replicates.is_some_and(|more| more > 0) && column.power == 0.0, "{column:#?}");
}

#[test]
fn sizes_may_differ() {
    check(&normal(1, 700), &normal(2, 2100), Verdict::Yes);
    check(&normal(1, 50), &normal(2, 20_000), Verdict::Unknown);
}

#[test]
fn scale_and_offset_are_no_matter() {
    for (unit, offset) in [(1.0, 1e12), (1e-300, 0.0), (1e300, 0.0), (1e-9, 1.0), (1e-310, 0.0)] {
        let place = |seed| normal(seed, 800).iter().map(|value| value * unit + offset).collect::<Vec<_>>();
        check(&place(1), &place(2), Verdict::Yes);
        let wide: Vec<f64> = normal(2, 800).iter().map(|value| 2.0 * value * unit + offset).collect();
        check(&place(1), &wide, Verdict::No);
    }
    let far = judge_one(&normal(1, 100), &[f64::MAX, -f64::MAX].repeat(50));
    assert_eq!(far.verdict, Verdict::No, "{far:#?}");
}

#[test]
fn missing_replicates_are_a_part_of_the_distribution() {
    let with_missing = |seed: u64, share: f64, missing: Option<f64>| -> Vec<Option<f64>> {
        let mut random = Random::new(seed, 3);
        (0..1500).map(|_| if random.uniform() < share { missing } else { Some(random.normal()) }).collect()
    };
    let judge_them = |old, new| {
        let column = Ensemble { name: "x".to_owned(), old, new, ..Ensemble::default() };
        judge_all(DistributionOptions::default(), vec![column]).columns.remove(0)
    };
    for missing in [None, Some(f64::NAN)] {
        let same = judge_them(with_missing(1, 0.1, missing), with_missing(2, 0.1, missing));
        assert_eq!(same.verdict, Verdict::Yes, "{same:#?}");
        let more = judge_them(with_missing(1, 0.1, missing), with_missing(2, 0.4, missing));
        assert_eq!((more.mean.verdict, more.ks.verdict), (Verdict::Yes, Verdict::No), "{more:#?}");
    }
    let other = judge_them(with_missing(1, 0.4, None), with_missing(2, 0.4, Some(f64::NAN)));
    assert_eq!(other.ks.verdict, Verdict::No, "NaN is not null: {other:#?}");
    assert!(other.old.null > 500 && other.new.nan > 500 && other.old.replicates == 1500);
    let none = judge_them(vec![None; 1000], vec![None; 1000]);
    assert_eq!(none.verdict, Verdict::Unknown, "{none:#?}");
}

#[test]
fn infinite_replicates_have_no_mean() {
    let mut old = normal(1, 1000);
    old[3] = f64::INFINITY;
    let column = judge_one(&old, &normal(2, 1000));
    assert_eq!(column.verdict, Verdict::Unknown);
    assert_eq!(column.more_replicates, None);
    assert_eq!(column.mean.why.as_deref(), Some("infinite replicates have no mean and no spread"));
    assert_eq!(column.ks.verdict, Verdict::Yes);
    let all = judge_one(&[f64::INFINITY; 500], &normal(2, 500));
    assert_eq!(all.verdict, Verdict::No, "{all:#?}");
}

fn paired(old: &[f64], new: &[f64], different: u64) -> switchback_statistics::ColumnFinding {
    let pairs = PairFinding {
        compared: old.len() as u64,
        different,
        first_different: (different > 0).then_some(0),
        max_absolute: None,
    };
    let column = Ensemble { pairs: Some(pairs), ..ensemble("x", old, new) };
    judge_all(DistributionOptions { paired: true, ..DistributionOptions::default() }, vec![column])
        .columns
        .remove(0)
}

#[test]
fn replicates_that_agree_one_by_one_need_no_statistics() {
    let few = normal(1, 3);
    let column = paired(&few, &few, 0);
    assert_eq!((column.verdict, column.proof), (Verdict::Yes, Proof::Pairs));
    assert_eq!(paired(&few, &few, 1).verdict, Verdict::Unknown);
    assert_eq!(paired(&[], &[], 0).verdict, Verdict::Unknown, "no pair proves nothing");
}

#[test]
fn paired_replicates_are_not_taken_for_independent() {
    let old = normal(1, 400);
    let moved: Vec<f64> = old.iter().map(|value| value * 1.001).collect();
    let column = paired(&old, &moved, 400);
    let [low, high] = column.sd.interval.unwrap();
    assert!(low > 1.000_9 && high < 1.001_1, "the draws are of pairs: {low} {high}");
    let apart: Vec<f64> = old.iter().map(|value| -value).collect();
    let width = |column: &switchback_statistics::ColumnFinding| {
        let [low, high] = column.mean.interval.unwrap();
        high - low
    };
    let alone = judge_one(&old, &apart);
    assert!(width(&paired(&old, &apart, 400)) > 1.3 * width(&alone), "pairs that pull apart vary more");
    assert!(paired(&old, &apart, 400).ks.band > alone.ks.band);
}

#[test]
fn what_stands_on_one_side_alone_is_never_part_of_a_yes() {
    let plan = DistributionPlan::new(DistributionOptions::default()).unwrap();
    let whole = |only_old: &[&str]| {
        let ensembles = Ensembles {
            columns: vec![ensemble("x", &normal(1, 800), &normal(2, 800))],
            only_old: only_old.iter().map(|name| (*name).to_owned()).collect(),
            not_compared: vec![NotCompared { column: "label".to_owned(), why: "is text".to_owned() }],
            ..Ensembles::default()
        };
        judge(&plan, &ensembles)
    };
    assert_eq!(whole(&[]).verdict, Verdict::Yes);
    assert_eq!(whole(&["y"]).verdict, Verdict::Unknown);
    assert_eq!(judge(&plan, &Ensembles::default()).verdict, Verdict::Unknown, "no column, no verdict");
}

#[test]
fn the_document_is_written_as_it_is_documented() {
    let options = DistributionOptions { seed: 7, ..DistributionOptions::default() };
    let outcome = judge_all(options, vec![ensemble("x", &[0.1; 9], &[0.2; 9])]);
    let text = serde_json::to_string(&outcome).unwrap();
    let wanted = concat!(
        r#"{"schema":"switchback/distribution/1","verdict":"no","alpha":0.05,"#,
        r#""margins":{"mean":0.25,"sd":0.25,"ks":0.15},"adjust":"none","paired":false,"seed":7,"resamples":1999,"#,
        r#""planned_power":0.8,"columns":[{"name":"x","verdict":"no","proof":"intervals","#,
        r#""old":{"replicates":9,"null":0,"nan":0,"infinite":0},"new":{"replicates":9,"null":0,"nan":0,"infinite":0},"#,
        r#""mean":{"verdict":"no","difference":"inf","interval":null,"bound":null,"power":null},"#,
        r#""sd":{"verdict":"yes","ratio":1.0,"interval":[1.0,1.0],"bound":null,"power":null},"#,
    );
    assert!(text.starts_with(wanted), "{text}");
    assert!(text.contains(r#""ks":{"verdict":"no","statistic":1.0,"band":0."#), "{text}");
    assert!(text.ends_with(r#""columns_only_old":[],"columns_only_new":[],"not_compared":[]}"#), "{text}");
}
