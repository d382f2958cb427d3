use super::super::pool::MOST_ACCOUNTS;
use super::*;
use futures_util::FutureExt;
use std::pin::pin;
use uuid::Uuid;

const LONG: Duration = Duration::from_mins(1);

fn limits(total: usize, per_user: usize, per_organization: usize) -> Limits {
    Limits { total, per_user, per_organization, waiting: 2 }
}

fn user(name: &str, organization: u128) -> Party {
    Party::user(name, None).in_organization(Uuid::from_u128(organization))
}

#[test]
fn nobody_has_more_than_a_share() {
    let places = Places::new(limits(6, 2, 3));
    let (ann, bob, eve) = (user("ann", 1), user("bob", 1), user("eve", 2));
    let held: Vec<Place> = (0..2).map(|_| places.try_take(&ann).unwrap()).collect();
    let full = places.try_take(&ann).unwrap_err();
    assert_eq!((full.share, full.holder, full.places), (Share::User, Name::User("ann".into()), 2));
    let _bobs = places.try_take(&bob).unwrap();
    let full = places.try_take(&bob).unwrap_err();
    assert_eq!((full.share, full.places), (Share::Group, 3));
    assert_eq!(full.holder, Name::Organization(Uuid::from_u128(1)));
    let _eves: Vec<Place> = (0..2).map(|_| places.try_take(&eve).unwrap()).collect();
    let _service = places.try_take(&Party::service()).unwrap();
    assert_eq!(places.try_take(&Party::anonymous(None)).unwrap_err().share, Share::All, "six of six");
    let _edge = places.try_take(&Party::edge()).unwrap();
    drop(held);
    assert!(places.try_take(&ann).is_ok());
}

#[test]
fn a_service_has_the_share_of_an_organization() {
    let places = Places::new(limits(6, 2, 3));
    let _held: Vec<Place> = (0..3).map(|_| places.try_take(&Party::service()).unwrap()).collect();
    assert!(places.try_take(&Party::service()).is_err());
}

#[test]
fn users_without_an_organization_share_that_of_their_address() {
    let places = Places::new(limits(6, 2, 2));
    let (here, there) = ("2001:db8::1".parse().ok(), "2001:db8:0:1::1".parse().ok());
    let _one = places.try_take(&Party::user("ann", here)).unwrap();
    let _two = places.try_take(&Party::user("bob", "2001:db8::2".parse().ok())).unwrap();
    assert!(places.try_take(&Party::user("eve", here)).is_err());
    assert!(places.try_take(&Party::user("eve", there)).is_ok());
}

#[test]
fn an_amount_may_exceed_a_share_only_alone() {
    let places = Places::new(limits(100, 40, 60));
    let ann = user("ann", 1);
    let large = places.try_take_several(&ann, 70).unwrap();
    assert!(places.try_take_several(&ann, 1).is_err());
    assert!(places.try_take_several(&user("eve", 2), 31).is_err(), "101 of 100");
    drop(large);
    let mut small = places.try_take_several(&ann, 30).unwrap();
    assert!(small.grow(10).is_ok() && small.grow(1).is_err());
}

#[test]
fn who_has_more_than_a_share_begins_nothing_new() {
    let places = Places::new(limits(100, 40, 60));
    let (ann, eve) = (user("ann", 1), user("eve", 2));
    let alone = places.take_anyway(&ann, 90);
    assert!(places.owes_nothing(&ann).is_ok(), "one of any size is possible");
    let second = places.take_anyway(&ann, 30);
    let full = places.owes_nothing(&ann).unwrap_err();
    assert_eq!((full.share, full.places), (Share::User, 40));
    assert!(places.owes_nothing(&eve).is_ok() && places.owes_nothing(&Party::edge()).is_ok());
    let third = places.take_anyway(&ann, 1);
    drop(second);
    assert!(places.owes_nothing(&ann).is_err());
    drop(third);
    assert!(places.owes_nothing(&ann).is_ok() && places.try_take(&ann).is_err());
    drop(alone);
    assert_eq!(places.lock().pools[0].in_use, 0);
    assert!(places.try_take_several(&ann, 40).is_ok());
}

#[tokio::test]
async fn a_free_place_goes_to_those_who_used_least() {
    let places = Places::new(limits(1, 1, 1));
    let (busy, light) = (user("busy", 1), user("light", 2));
    let held = places.try_take(&busy).unwrap();
    let mut first = pin!(places.take(&busy, LONG));
    assert!(first.as_mut().now_or_never().is_none());
    let mut second = pin!(places.take(&light, LONG));
    assert!(second.as_mut().now_or_never().is_none());
    drop(held);
    assert!(first.as_mut().now_or_never().is_none(), "it has just had the place");
    let lights = second.await.unwrap();
    drop(lights);
    assert!(first.await.is_ok());
}

#[tokio::test]
async fn users_of_one_organization_do_not_gain_by_being_many() {
    let places = Places::new(limits(1, 1, 1));
    let held = places.try_take(&user("a", 1)).unwrap();
    let (b, c, other) = (user("b", 1), user("c", 1), user("x", 2));
    let mut waiting = [&b, &c, &other].map(|party| Box::pin(places.take(party, LONG)));
    for one in &mut waiting {
        assert!(one.as_mut().now_or_never().is_none());
    }
    drop(held);
    let [mut b, mut c, other] = waiting;
    assert!(b.as_mut().now_or_never().is_none() && c.as_mut().now_or_never().is_none());
    assert!(other.now_or_never().is_some_and(|place| place.is_ok()));
}

#[tokio::test]
async fn who_waits_for_a_place_of_the_whole_holds_none_of_a_part() {
    let places = Places::new(limits(8, 1, 4));
    let part = places.part(limits(1, 1, 1));
    let (ann, eve) = (user("ann", 1), user("eve", 2));
    let held = places.try_take(&ann).unwrap();
    let mut waiting = pin!(part.take(&ann, LONG));
    assert!(waiting.as_mut().now_or_never().is_none(), "the share of the whole is in use");
    let eves = part.take(&eve, LONG).now_or_never().unwrap().unwrap();
    assert_eq!(places.try_take(&eve).unwrap_err().share, Share::User, "it is one of the whole, too");
    drop(held);
    assert!(waiting.as_mut().now_or_never().is_none(), "the only place of the part is in use");
    drop(eves);
    assert!(waiting.now_or_never().unwrap().is_ok());
}

#[tokio::test]
async fn what_waits_for_a_part_does_not_delay_other_uses() {
    let places = Places::new(limits(2, 2, 2));
    let part = places.part(limits(1, 1, 1));
    let ann = user("ann", 1);
    let (_parts, other) = (part.try_take(&ann).unwrap(), places.try_take(&ann).unwrap());
    let mut first = pin!(part.take(&ann, LONG));
    assert!(first.as_mut().now_or_never().is_none());
    let mut second = pin!(places.take(&ann, LONG));
    assert!(second.as_mut().now_or_never().is_none());
    drop(other);
    assert!(second.now_or_never().unwrap().is_ok(), "although it came later");
    assert!(first.now_or_never().is_none());
}

#[test]
fn something_is_left_of_what_is_divided() {
    for total in 2..40 {
        let Limits { per_user, per_organization, .. } = Limits::divided(total);
        assert!((1..=per_organization).contains(&per_user) && per_organization < total, "{total}");
    }
    assert_eq!(Limits::divided(1).per_organization, 1);
}

#[tokio::test]
async fn a_queue_has_an_end() {
    let places = Places::new(limits(1, 1, 1));
    let (ann, eve) = (user("ann", 1), user("eve", 2));
    let _held = places.try_take(&ann).unwrap();
    let mut waiting = [0, 1].map(|_| Box::pin(places.take(&ann, LONG)));
    for one in &mut waiting {
        assert!(one.as_mut().now_or_never().is_none());
    }
    assert!(places.take(&ann, LONG).now_or_never().is_some_and(|place| place.is_err()));
    // The queue of another user is another queue.
    let mut eves = pin!(places.take(&eve, LONG));
    assert!(eves.as_mut().now_or_never().is_none());
    drop(waiting);
    assert!(places.take(&ann, LONG).now_or_never().is_none(), "there is room again");
}

#[tokio::test]
async fn who_gives_up_loses_no_place() {
    let places = Places::new(limits(1, 1, 1));
    let ann = user("ann", 1);
    let held = places.try_take(&ann).unwrap();
    let full = places.take(&ann, Duration::ZERO).await.unwrap_err();
    assert_eq!(full.places, 1);
    // Granted, but dropped before it learned of it.
    let mut waiting = Box::pin(places.take(&ann, LONG));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(held);
    drop(waiting);
    assert!(places.try_take(&ann).is_ok());
    assert!(places.lock().queues.is_empty());
    assert_eq!(places.lock().pools[0].in_use, 0);
}

#[test]
fn memory_is_bounded() {
    let places = Places::new(limits(1, 1, 1));
    for n in 0..3 * MOST_ACCOUNTS {
        drop(places.try_take(&user(&n.to_string(), n as u128)));
    }
    assert!(places.lock().pools[0].accounts.len() <= MOST_ACCOUNTS + 2);
}
