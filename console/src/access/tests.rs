use std::time::Duration;

use strata_report::Role;

use super::*;

fn tokens(text: &str) -> Vec<Token> {
    Token::read_lines(text, "operator").unwrap()
}

fn with_token(token: &str) -> Access {
    Access::new(AccessSettings { operators: tokens(token), ..AccessSettings::default() })
}

fn with_viewers() -> Access {
    Access::new(AccessSettings {
        operators: tokens("anna:open-sesame"),
        viewers: tokens("ben:peep"),
        ..AccessSettings::default()
    })
}

fn nowhere() -> Origin {
    Origin::default()
}

fn here() -> Origin {
    Origin { is_local: true, address: Some([127, 0, 0, 1].into()), user: None }
}

fn actor(access: &Access, token: Option<&str>) -> Actor {
    access.identify(Credentials { token, session: None }, &nowhere())
}

fn in_session(access: &Access, session: &str) -> Actor {
    access.identify(Credentials { token: None, session: Some(session) }, &nowhere())
}

#[test]
fn whoever_presents_the_token_may_act_and_others_are_told_how() {
    let access = with_token("open-sesame");
    let operator = actor(&access, Some("open-sesame"));
    assert_eq!((operator.name.as_str(), operator.role), ("operator", Role::Operator));
    assert_eq!(access.refusal(&operator), None);
    let viewer = actor(&access, None);
    assert_eq!(viewer.role, Role::Viewer);
    let session = access.session(&viewer);
    assert!(session.can_log_in);
    assert!(session.refusal.unwrap().contains("Log in"));
    let stale = access.refusal(&actor(&access, Some("open-barley"))).unwrap();
    assert!(stale.contains("no longer") && stale.ends_with("Log in again."));
}

#[test]
fn values_are_for_operators_unless_they_are_open() {
    let access = with_token("open-sesame");
    let values = |access: &Access, token| actor(access, token).rights.values;
    assert!(values(&access, Some("open-sesame")) && !values(&access, None));
    let open = AccessSettings { open_values: true, ..access.settings.clone() };
    assert!(values(&Access::new(open), None));
}

#[test]
fn where_viewers_have_tokens_nobody_else_may_look() {
    let access = with_viewers();
    let rights = |token| actor(&access, token).rights;
    assert_eq!(rights(None), Rights::default());
    assert_eq!(rights(Some("guess")), Rights::default());
    assert_eq!(rights(Some("peep")), Rights { look: true, ..Rights::default() });
    assert_eq!(rights(Some("open-sesame")), Rights::all(false));
    assert_eq!(actor(&access, Some("peep")).name, "ben");
    assert_eq!(access.identify(Credentials::default(), &here()).rights, Rights::default());
}

#[test]
fn without_a_token_only_this_machine_may_act() {
    let access = Access::new(AccessSettings { loopback: true, ..AccessSettings::default() });
    let local = access.identify(Credentials::default(), &here());
    assert_eq!((local.name.as_str(), local.role), ("local", Role::Operator));
    assert_eq!(access.refusal(&local), None);
    let forwarded = Origin { is_local: false, ..here() };
    let viewer = access.identify(Credentials::default(), &forwarded);
    assert_eq!(viewer.rights, Rights { look: true, ..Rights::default() });
    assert!(access.refusal(&viewer).unwrap().contains("--operator-token"));
}

#[test]
fn this_machine_s_own_person_is_not_anonymous_even_where_nobody_may_act() {
    let settings = AccessSettings { loopback: true, read_only: true, ..AccessSettings::default() };
    let access = Access::new(settings);
    let local = access.identify(Credentials::default(), &here());
    assert!(!local.rights.act && !local.is_anonymous());
    let forwarded = Origin { is_local: false, ..here() };
    assert!(access.identify(Credentials::default(), &forwarded).is_anonymous());
}

#[test]
fn without_a_token_nobody_may_act_where_others_reach_it() {
    let access = Access::new(AccessSettings::default());
    let who = access.identify(Credentials { token: Some("anything"), session: None }, &here());
    let session = access.session(&who);
    assert_eq!((session.role, session.can_log_in), (Role::Viewer, false));
    assert!(session.refusal.unwrap().contains("--operator-token"));
}

#[test]
fn where_an_application_decides_no_request_has_rights_of_its_own() {
    let told_by_application = Some("The application does not let you.");
    let access = |read_only| {
        let loopback = false;
        Access::new(AccessSettings {
            told_by_application,
            read_only,
            loopback,
            ..AccessSettings::default()
        })
    };
    let somebody = access(false).identify(Credentials::default(), &here());
    assert_eq!(somebody.rights, Rights::default());
    assert_eq!(access(false).refusal(&somebody), told_by_application);
    assert_eq!(access(false).refusal(&Actor::local()), None, "whom the application lets act");
    assert_eq!(access(true).refusal(&Actor::local()), told_by_application);
}

#[test]
fn read_only_refuses_even_an_operator_who_still_reads_values() {
    let access = Access::new(AccessSettings {
        operators: tokens("t"),
        read_only: true,
        loopback: true,
        ..AccessSettings::default()
    });
    let operator = actor(&access, Some("t"));
    assert_eq!(operator.role, Role::Viewer);
    assert_eq!(operator.rights, Rights { look: true, values: true, act: false });
    let forged = Actor::local();
    assert!(access.refusal(&forged).unwrap().contains("--read-only"));
    assert!(!access.session(&forged).can_log_in);
}

#[test]
fn a_proxy_that_is_trusted_names_who_acts_and_gives_no_right() {
    let access = with_token("t");
    let origin = Origin { user: Some("carla".to_owned()), ..nowhere() };
    let by_token = Credentials { token: Some("t"), session: None };
    let operator = access.identify(by_token, &origin);
    assert_eq!((operator.name.as_str(), operator.role), ("carla", Role::Operator));
    let viewer = access.identify(Credentials::default(), &origin);
    assert_eq!((viewer.name.as_str(), viewer.role), ("carla", Role::Viewer));
}

#[tokio::test(start_paused = true)]
async fn a_session_stands_for_the_token_that_began_it_until_it_is_ended() {
    let access = with_viewers();
    let [first, second] =
        [(); 2].map(|()| access.log_in(" open-sesame\n", &nowhere()).unwrap().session);
    let viewer = access.log_in("peep", &nowhere()).unwrap();
    assert_eq!(viewer.actor.rights, Rights { look: true, ..Rights::default() });
    assert!(!first.contains("sesame"));
    assert_eq!(in_session(&access, &first).name, "anna");
    assert_eq!(access.log_out_everywhere(&first), 2);
    let ended = in_session(&access, &second);
    assert_eq!(
        (ended.rights, ended.rejected),
        (Rights::default(), Some(RejectedCredential::Session))
    );
    assert!(access.refusal(&ended).unwrap().contains("has ended"));
    assert!(access.log_out(&viewer.session) && !access.log_out(&viewer.session));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_guesses_has_to_wait_and_the_right_token_too() {
    let access = with_token("t");
    let from = |last| Origin { address: Some([192, 0, 2, last].into()), ..nowhere() };
    for _ in 0..10 {
        assert_eq!(access.log_in("guess", &from(1)).unwrap_err(), LogInError::WrongToken);
    }
    assert!(matches!(access.log_in("t", &from(1)), Err(LogInError::TooOften(_))));
    assert!(access.log_in("t", &from(2)).is_ok());
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(access.log_in("t", &from(1)).is_ok());
}

#[test]
fn nothing_secret_is_ever_printed() {
    let access = with_token("sesame");
    let id = access.log_in("sesame", &nowhere()).unwrap().session;
    let printed = format!("{access:?} {:?}", access.settings);
    assert!(!printed.contains("sesame") && !printed.contains(&id), "{printed}");
}
