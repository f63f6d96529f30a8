use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{config::Settings, hid::Input, net::input::Inputs};

/// What the HID thread would get, in order.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<(ClientId, Input)>>>);

impl InputSink for Sink {
    async fn send(&self, client: ClientId, input: Input) {
        self.0.lock().expect("no panic").push((client, input));
    }

    fn leave(&self, client: ClientId) {
        let mut log = self.0.lock().expect("no panic");
        log.push((client, Input::Leave));
    }
}

impl Sink {
    /// The clients that hold a key.
    fn holding(&self) -> BTreeSet<ClientId> {
        let mut holding = BTreeSet::new();
        for (client, input) in self.0.lock().expect("no panic").iter() {
            match input {
                Input::Key { down: true, .. } => holding.insert(*client),
                _ => holding.remove(client),
            };
        }
        holding
    }
}

struct Bench {
    roster: Roster<Sink>,
    sink: Sink,
    news: Arc<Mutex<Vec<News>>>,
}

impl Bench {
    fn new(policy: &str) -> Self {
        let sink = Sink::default();
        let news = Arc::<Mutex<Vec<News>>>::default();
        let tell = {
            let news = Arc::clone(&news);
            Arc::new(move |item| news.lock().expect("no panic").push(item))
        };
        Self {
            roster: Roster::new(sink.clone(), sessions(policy), tell),
            sink,
            news,
        }
    }

    fn join(&self, number: u64, role: Role, shared: bool) -> Result<Client<'_>, Occupied> {
        let inputs = Inputs::new(&self.sink, ClientId(number));
        let identity = Identity {
            client: ClientId(number),
            peer: ([192, 0, 2, 1], 40_000).into(),
            user: Some(format!("user {number}").into()),
            role,
        };
        let seat = self.roster.join(identity, shared, inputs.permit())?;
        Ok(Client { inputs, seat })
    }

    /// A client that minds nobody.
    fn comes(&self, number: u64, role: Role) -> Client<'_> {
        self.join(number, role, true).expect("room")
    }

    /// Those whose input reaches the target.
    fn controllers(&self) -> Vec<u64> {
        let clients = self.roster.clients().into_iter();
        clients
            .filter(|client| client.controls)
            .map(|client| client.identity.client.0)
            .collect()
    }

    /// Who was told to have got control, one after another.
    fn holders(&self) -> Vec<Option<u64>> {
        let news = self.news.lock().expect("no panic");
        let holder = |item: &News| match item {
            News::Control { holder } => Some(holder.as_ref().map(|holder| holder.client.0)),
            _ => None,
        };
        news.iter().filter_map(holder).collect()
    }
}

fn sessions(policy: &str) -> Sessions {
    let settings: Settings = toml::from_str(policy).expect("settings");
    crate::config::Config::new(settings)
        .expect("a configuration")
        .sessions
}

/// A client as its session has it: what it holds is released before its seat is free.
struct Client<'a> {
    inputs: Inputs<'a, Sink>,
    seat: Seat<'a, Sink>,
}

impl Client<'_> {
    fn press(&mut self, keysym: u32) {
        self.inputs.push(Input::Key { down: true, keysym });
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime
            .expect("a runtime")
            .block_on(self.inputs.send_next());
    }

    fn standing(&self) -> Standing {
        self.seat.standing.borrow().clone()
    }
}

const FIRST: &str = "sessions.control = 'first'";
const EXCLUSIVE: &str = "sessions.control = 'exclusive'";

#[test]
fn whoever_takes_control_has_it_and_the_others_keys_are_up_before() {
    let bench = Bench::new(EXCLUSIVE);
    let mut one = bench.comes(1, Role::Control);
    let mut two = bench.comes(2, Role::Control);
    one.press(0x61);
    two.press(0x62);
    assert_eq!(bench.controllers(), [1]);
    let holder = Some("user 1".to_owned());
    let may_take = true;
    assert_eq!(two.standing(), Standing::Waits { holder, may_take });
    two.seat.take().expect("control");
    two.press(0x63);
    one.press(0x64);
    let log = bench.sink.0.lock().expect("no panic").clone();
    let key = |client, keysym| (ClientId(client), Input::Key { down: true, keysym });
    let leave = (ClientId(1), Input::Leave);
    assert_eq!(log, [key(1, 0x61), leave, key(2, 0x63)]);
    assert_eq!(bench.holders(), [Some(1), Some(2)]);
}

#[test]
fn control_goes_from_one_who_leaves_to_the_one_that_was_there_longest() {
    for policy in [EXCLUSIVE, FIRST] {
        let bench = Bench::new(policy);
        let watcher = bench.comes(1, Role::View);
        assert_eq!(bench.controllers(), [] as [u64; 0]);
        let two = bench.comes(2, Role::Control);
        let three = bench.comes(3, Role::Control);
        let four = bench.comes(4, Role::Admin);
        assert_eq!(bench.controllers(), [2]);
        drop(two);
        assert_eq!(bench.controllers(), [3]);
        drop((three, four));
        assert_eq!(bench.controllers(), [] as [u64; 0]);
        assert_eq!(watcher.seat.take(), Err(TakeError::MayNot));
        assert_eq!(bench.holders(), [Some(2), Some(3), Some(4), None]);
    }
}

#[test]
fn the_first_one_keeps_control_until_it_gives_it_up_but_not_from_admins() {
    let bench = Bench::new(FIRST);
    let one = bench.comes(1, Role::Control);
    let two = bench.comes(2, Role::Control);
    let admin = bench.comes(3, Role::Admin);
    assert_eq!(two.seat.take(), Err(TakeError::Held));
    let holder = || Some("user 1".to_owned());
    let waits = |may_take| Standing::Waits {
        holder: holder(),
        may_take,
    };
    assert_eq!(
        (two.standing(), admin.standing()),
        (waits(false), waits(true))
    );
    admin.seat.take().expect("control");
    assert_eq!(one.seat.take(), Err(TakeError::Held));
    assert!(!one.seat.give_up() && admin.seat.give_up());
    assert_eq!(bench.controllers(), [1]);
    bench.roster.take(ClientId(2)).expect("an operator may");
    assert_eq!(bench.controllers(), [2]);
    let nobody = bench.roster.take(ClientId(9));
    assert_eq!(nobody, Err(TakeError::NoClient));
}

#[test]
fn who_gave_up_alone_may_take_it_again_or_the_next_one_has_it() {
    let bench = Bench::new(EXCLUSIVE);
    let one = bench.comes(1, Role::Control);
    assert!(one.seat.give_up());
    assert_eq!(bench.controllers(), [] as [u64; 0]);
    one.seat.take().expect("control");
    assert!(one.seat.give_up());
    let _two = bench.comes(2, Role::Control);
    assert_eq!(bench.controllers(), [2]);
}

#[test]
fn shared_control_is_everybodys_and_cannot_be_taken() {
    let bench = Bench::new("");
    let one = bench.comes(1, Role::Control);
    let _two = bench.comes(2, Role::Admin);
    let _three = bench.comes(3, Role::View);
    assert_eq!(bench.controllers(), [1, 2]);
    assert_eq!(one.seat.take(), Err(TakeError::Shared));
    assert_eq!(bench.holders(), []);
    bench.roster.set_policy(sessions(FIRST));
    assert_eq!(bench.controllers(), [1]);
    bench.roster.set_policy(sessions(""));
    assert_eq!(bench.controllers(), [1, 2]);
}

#[test]
fn an_operator_lets_a_client_watch_and_do_again_what_it_may() {
    let bench = Bench::new(EXCLUSIVE);
    let mut one = bench.comes(1, Role::Control);
    let _two = bench.comes(2, Role::Control);
    let _watcher = bench.comes(3, Role::View);
    one.press(0x61);
    let set = |client, view_only| bench.roster.set_view_only(ClientId(client), view_only);
    assert_eq!(set(1, true), Ok(()));
    assert!(bench.sink.holding().is_empty());
    assert_eq!(one.standing(), Standing::Watches);
    assert_eq!(one.seat.take(), Err(TakeError::MayNot));
    assert_eq!(bench.roster.take(ClientId(1)), Err(TakeError::MayNot));
    assert_eq!(bench.controllers(), [2]);
    assert_eq!(set(1, false), Ok(()));
    one.seat.take().expect("control");
    assert_eq!(set(3, false), Err(ViewOnlyError::Role));
    assert_eq!(set(4, false), Err(ViewOnlyError::NoClient));
}

#[test]
fn who_asks_to_be_alone_is_if_that_is_the_policy_and_nobody_may_more() {
    let bench = Bench::new("sessions.share = 'client'");
    let watcher = bench.comes(1, Role::View);
    let mut one = bench.comes(2, Role::Control);
    let admin = bench.comes(3, Role::Admin);
    one.press(0x61);
    let _alone = bench.join(4, Role::Control, false).expect("room");
    let dismissed = Standing::Dismissed(Dismissal::AskedToBeAlone("user 4".to_owned()));
    assert_eq!(watcher.standing(), dismissed);
    assert_eq!(one.standing(), dismissed);
    assert_eq!(admin.standing(), Standing::Controls, "it may more");
    assert!(bench.sink.holding().is_empty());
    let _viewer = bench.join(5, Role::View, false).expect("room");
    assert_eq!(bench.controllers(), [3, 4], "who only watches asks in vain");
}

#[test]
fn where_one_at_a_time_is_served_nobody_is_locked_out_by_who_may_no_more() {
    let bench = Bench::new("sessions.share = 'never'");
    let one = bench.comes(1, Role::Control);
    assert!(bench.join(2, Role::View, true).is_err());
    assert!(bench.roster.check(Role::View).is_err());
    let again = bench.comes(3, Role::Control);
    let dismissed = |by: &str| Standing::Dismissed(Dismissal::OneAtATime(by.to_owned()));
    assert_eq!(one.standing(), dismissed("user 3"));
    let admin = bench.comes(4, Role::Admin);
    assert_eq!(again.standing(), dismissed("user 4"));
    let refused = bench.roster.check(Role::Control);
    let why = "user 4 is connected, and one client at a time is served.";
    assert_eq!(refused.expect_err("an admin is there").to_string(), why);
    drop(admin);
    bench.comes(5, Role::View);
}

#[test]
fn who_is_kicked_holds_nothing_and_controls_nothing_from_then_on() {
    let bench = Bench::new(EXCLUSIVE);
    let mut one = bench.comes(1, Role::Admin);
    let _two = bench.comes(2, Role::Control);
    one.press(0x61);
    assert!(bench.roster.kick(ClientId(1), Some("lunch")));
    assert!(bench.sink.holding().is_empty());
    assert_eq!(bench.controllers(), [2]);
    let why = Dismissal::KickedFor("lunch".to_owned());
    assert_eq!(one.standing(), Standing::Dismissed(why));
    assert!(!bench.roster.kick(ClientId(1), None), "it is gone already");
    assert_eq!(one.seat.take(), Err(TakeError::MayNot));
}

#[derive(Clone, Debug)]
enum Step {
    Join { role: Role, shared: bool },
    Leave(usize),
    Take(usize),
    OperatorGives(usize),
    GiveUp(usize),
    ViewOnly(usize, bool),
    Kick(usize),
    Press(usize),
    Policy(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let role = prop_oneof![Just(Role::View), Just(Role::Control), Just(Role::Admin)];
    let any_one = || any::<usize>();
    prop_oneof![
        4 => (role, any::<bool>()).prop_map(|(role, shared)| Step::Join { role, shared }),
        2 => any_one().prop_map(Step::Leave),
        3 => any_one().prop_map(Step::Take),
        1 => any_one().prop_map(Step::OperatorGives),
        2 => any_one().prop_map(Step::GiveUp),
        2 => (any_one(), any::<bool>()).prop_map(|(one, on)| Step::ViewOnly(one, on)),
        1 => any_one().prop_map(Step::Kick),
        8 => any_one().prop_map(Step::Press),
        1 => prop_oneof![Just(EXCLUSIVE), Just(FIRST), Just(""),
            Just("sessions.share = 'client'"), Just("sessions.share = 'never'")]
            .prop_map(Step::Policy),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_has_control_at_most_and_nobody_else_holds_a_key(
        policy in prop_oneof![Just(EXCLUSIVE), Just(FIRST)],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let bench = Bench::new(policy);
        let mut policy = policy;
        let mut clients = Vec::<Client<'_>>::new();
        let mut given_up = false;
        for (number, step) in (1..).zip(steps) {
            let count = clients.len();
            match step {
                Step::Join { role, shared } => clients.extend(bench.join(number, role, shared)),
                Step::Policy(other) => {
                    policy = other;
                    bench.roster.set_policy(sessions(policy));
                }
                _ if count == 0 => {}
                Step::Leave(one) => drop(clients.remove(one % count)),
                Step::Take(one) => {
                    let _ = clients[one % count].seat.take();
                }
                Step::OperatorGives(one) => {
                    let _ = bench.roster.take(clients[one % count].seat.client);
                }
                Step::GiveUp(one) => given_up |= clients[one % count].seat.give_up(),
                Step::ViewOnly(one, on) => {
                    let client = clients[one % count].seat.client;
                    let _ = bench.roster.set_view_only(client, on);
                }
                Step::Kick(one) => {
                    bench.roster.kick(clients[one % count].seat.client, None);
                }
                Step::Press(one) => clients[one % count].press(0x61),
            }
            let controllers = bench.controllers();
            let holding: Vec<_> = bench.sink.holding().iter().map(|client| client.0).collect();
            prop_assert!(holding.iter().all(|client| controllers.contains(client)));
            let told = clients.iter().filter(|client| client.seat.controls());
            let told: Vec<_> = told.map(|client| client.seat.client.0).collect();
            prop_assert_eq!(&told, &controllers);
            if [EXCLUSIVE, FIRST].contains(&policy) {
                prop_assert!(controllers.len() <= 1);
                let able = bench.roster.clients().iter().any(|client| !client.view_only);
                prop_assert!(given_up || controllers.len() == usize::from(able));
                let last = bench.holders().last().copied().flatten();
                prop_assert_eq!(last, controllers.first().copied());
            }
        }
    }
}
