use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn encode(part: &Value) -> String {
    BASE64.encode(part.to_string())
}

fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = BASE64.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn hmac(secret: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    move |message| aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
}

fn hs256(claims: &Value) -> String {
    signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, hmac(SECRET.as_bytes()))
}

fn user(changes: &Value) -> Value {
    let mut claims =
        json!({"sub": "u1", "role": "authenticated", "aud": "authenticated", "exp": now() + 60, "iss": "me"});
    for (key, value) in changes.as_object().unwrap() {
        claims[key] = value.clone();
    }
    claims
}

fn by_secret() -> Verifier {
    Verifier::new(Auth::for_testing(Some(SECRET)))
}

async fn refusal(verifier: &Verifier, token: &str) -> AuthError {
    verifier.verify(token).await.unwrap_err()
}

/// Three keys of an issuer, and the document that it publishes.
struct Issuer {
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

impl Issuer {
    fn new() -> Self {
        Self {
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
            rsa: RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap(),
        }
    }

    fn document(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        let (n, e) = (self.rsa.public_key().modulus(), self.rsa.public_key().exponent());
        json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256",
             "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])},
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": BASE64.encode(self.ed.public_key().as_ref())},
            {"kty": "RSA", "kid": "rsa", "use": "sig", "n": BASE64.encode(n.big_endian_without_leading_zero()),
             "e": BASE64.encode(e.big_endian_without_leading_zero())},
        ]})
    }

    fn token(&self, alg: &str, kid: Option<&str>, claims: &Value) -> String {
        let mut header = json!({"alg": alg});
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        signed(&header, claims, |message| match alg {
            "ES256" => self.ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(message).as_ref().to_vec(),
            _ => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        })
    }
}

/// A verifier that fetches `document` over HTTP, and the number of fetches. Each connection serves it once.
async fn by_document(
    document: Value,
    secret: Option<&str>,
) -> (Verifier, Arc<std::sync::atomic::AtomicUsize>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fetched = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let body = document.to_string();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let mut rules = Auth::for_testing(secret);
    rules.jwks_url = Some(format!("http://{address}/jwks.json").parse().unwrap());
    (Verifier::new(rules), fetched)
}

#[tokio::test]
async fn the_claims_of_a_valid_token_are_passed_on_unchanged() {
    let claims = user(&json!({"app_metadata": {"x": [1, null]}}));
    let verified = by_secret().verify(&hs256(&claims)).await.unwrap();
    assert_eq!(verified.user(), Some("u1"));
    assert_eq!(serde_json::from_str::<Value>(verified.caller.claims()).unwrap(), claims);
}

#[tokio::test]
async fn times_are_checked_with_a_tolerance() {
    let verifier = by_secret();
    for (changes, expected) in [
        (json!({"exp": now() - 20}), Ok(())),
        (json!({"exp": now() - 60}), Err(AuthError::Expired)),
        (json!({"exp": null}), Err(AuthError::NoExpiry)),
        (json!({"exp": "soon"}), Err(AuthError::Claim("exp", "a number"))),
        (json!({"nbf": "soon"}), Err(AuthError::Claim("nbf", "a number"))),
        (json!({"sub": 5}), Err(AuthError::Claim("sub", "a string"))),
        (json!({"iss": {}}), Err(AuthError::Claim("iss", "a string"))),
        (json!({"aud": [1]}), Err(AuthError::Claim("aud", "a string or a list of strings"))),
        (json!({"user_metadata": {"n": ["a\0"]}}), Err(AuthError::Unstorable)),
        (json!({"user_metadata": {"a\0": 1}}), Err(AuthError::Unstorable)),
        (json!({"exp": -1}), Err(AuthError::NoExpiry)),
        (json!({"exp": 1e300}), Err(AuthError::NoExpiry)),
        (json!({"exp": now() as f64 + 60.5}), Ok(())),
        (json!({"nbf": now() + 20}), Ok(())),
        (json!({"nbf": now() + 60}), Err(AuthError::NotYet)),
        (json!({"nbf": now() - 60}), Ok(())),
    ] {
        let outcome = verifier.verify(&hs256(&user(&changes))).await.map(drop);
        assert_eq!(outcome, expected, "{changes}");
    }
}

#[tokio::test]
async fn a_cached_token_still_expires() {
    let verifier = by_secret();
    let token = hs256(&user(&json!({"exp": now() - 29})));
    assert!(verifier.verify(&token).await.is_ok());
    let remembered = verifier.cache.get(&token).unwrap();
    assert!(remembered.expired(now() + 5, 30));
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while verifier.verify(&token).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(refusal(&verifier, &token).await, AuthError::Expired);
}

#[tokio::test]
async fn audience_issuer_role_and_subject_are_checked() {
    let mut rules = Auth::for_testing(Some(SECRET));
    rules.issuer = Some("me".into());
    let verifier = Verifier::new(rules);
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({"aud": ["other", "authenticated"]}), Ok(())),
        (json!({"aud": "other"}), Err(AuthError::Audience)),
        (json!({"aud": []}), Err(AuthError::Audience)),
        (json!({"aud": null}), Err(AuthError::Audience)),
        (json!({"iss": "you"}), Err(AuthError::Issuer)),
        (json!({"iss": null}), Err(AuthError::Issuer)),
        (json!({"role": "postgres"}), Err(AuthError::Role)),
        (json!({"role": "supabase_admin"}), Err(AuthError::Role)),
        (json!({"role": null}), Err(AuthError::Role)),
        (json!({"role": ["authenticated"]}), Err(AuthError::Claim("role", "a string"))),
        (json!({"sub": null}), Err(AuthError::Subject)),
        (json!({"sub": ""}), Err(AuthError::Subject)),
    ] {
        let outcome = verifier.verify(&hs256(&user(&changes))).await.map(drop);
        assert_eq!(outcome, expected, "{changes}");
    }
}

#[tokio::test]
async fn a_projects_own_keys_have_no_subject_and_no_audience() {
    let mut rules = Auth::for_testing(Some(SECRET));
    rules.issuer = Some("https://ref.supabase.co/auth/v1".into());
    let verifier = Verifier::new(rules);
    for role in ["anon", "service_role"] {
        let key = hs256(&json!({"iss": "supabase", "ref": "x", "role": role, "exp": now() + 60}));
        let claims = verifier.verify(&key).await.unwrap();
        assert_eq!((claims.caller.role.as_str(), claims.user()), (role, None));
    }
}

#[tokio::test]
async fn malformed_tokens_are_refused() {
    let verifier = by_secret();
    for token in ["sb_publishable_abc", "sb_secret_a.b.c"] {
        assert_eq!(refusal(&verifier, token).await, AuthError::ApiKey);
    }
    let good = hs256(&user(&json!({})));
    for token in ["", "a", "a.b", "a.b.c", "a.b.c.d", "....", &format!("{good}."), &"x".repeat(20_000)] {
        assert_eq!(refusal(&verifier, token).await, AuthError::NotAJwt, "{token}");
    }
    let critical = signed(
        &json!({"alg": "HS256", "crit": ["b64"], "b64": false}),
        &user(&json!({})),
        hmac(SECRET.as_bytes()),
    );
    assert_eq!(refusal(&verifier, &critical).await, AuthError::NotAJwt);
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let verifier = by_secret();
    let good = hs256(&user(&json!({})));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let forged = format!("{header}.{}.{signature}", encode(&user(&json!({"sub": "u2"}))));
    assert_eq!(refusal(&verifier, &forged).await, AuthError::Signature);
    assert_eq!(refusal(&verifier, &format!("{message}.")).await, AuthError::Signature);
    let other =
        signed(&json!({"alg": "HS256"}), &user(&json!({})), hmac(b"another secret of thirty-two chars"));
    assert_eq!(refusal(&verifier, &other).await, AuthError::Signature);
}

#[tokio::test]
async fn only_the_algorithm_of_the_key_is_accepted() {
    let verifier = by_secret();
    for alg in ["none", "None", "HS512", "ES256", "", "hs256"] {
        for signature in [vec![], hmac(SECRET.as_bytes())(b"x")] {
            let token = signed(&json!({"alg": alg}), &user(&json!({})), |_| signature);
            assert_eq!(refusal(&verifier, &token).await, AuthError::Algorithm, "{alg}");
        }
    }
}

#[tokio::test]
async fn public_keys_verify_by_their_own_algorithm() {
    let issuer = Issuer::new();
    let (verifier, _) = by_document(issuer.document(), None).await;
    for (alg, kid) in [("ES256", "ec"), ("EdDSA", "ed"), ("RS256", "rsa")] {
        for kid in [Some(kid), None] {
            let token = issuer.token(alg, kid, &user(&json!({})));
            assert!(verifier.verify(&token).await.is_ok(), "{alg} {kid:?}");
        }
    }
    let wrong_kid = issuer.token("ES256", Some("rsa"), &user(&json!({})));
    assert_eq!(refusal(&verifier, &wrong_kid).await, AuthError::Algorithm);
    let forged = Issuer::new().token("ES256", Some("ec"), &user(&json!({})));
    assert_eq!(refusal(&verifier, &forged).await, AuthError::Signature);
}

#[tokio::test]
async fn a_public_key_does_not_work_as_a_secret() {
    let issuer = Issuer::new();
    let document = issuer.document();
    let public: Vec<Vec<u8>> = vec![
        issuer.ec.public_key().as_ref().to_vec(),
        issuer.ed.public_key().as_ref().to_vec(),
        issuer.rsa.public_key().as_ref().to_vec(),
        document["keys"][0].to_string().into_bytes(),
        document["keys"][2]["n"].as_str().unwrap().as_bytes().to_vec(),
    ];
    for secret in [None, Some(SECRET)] {
        let (verifier, _) = by_document(document.clone(), secret).await;
        verifier.jwks().unwrap().refresh().await.unwrap();
        for key in &public {
            for header in [
                json!({"alg": "HS256", "kid": "ec"}),
                json!({"alg": "HS256", "kid": "rsa"}),
                json!({"alg": "HS256"}),
            ] {
                let token = signed(&header, &user(&json!({})), hmac(key));
                let outcome = refusal(&verifier, &token).await;
                assert!(matches!(outcome, AuthError::Algorithm | AuthError::Signature), "{outcome:?}");
            }
        }
    }
}

#[tokio::test]
async fn secret_and_public_keys_work_together() {
    let issuer = Issuer::new();
    let (verifier, _) = by_document(issuer.document(), Some(SECRET)).await;
    assert!(verifier.verify(&hs256(&user(&json!({})))).await.is_ok());
    let with_kid =
        signed(&json!({"alg": "HS256", "kid": "legacy"}), &user(&json!({})), hmac(SECRET.as_bytes()));
    assert!(verifier.verify(&with_kid).await.is_ok());
    assert!(verifier.verify(&issuer.token("ES256", Some("ec"), &user(&json!({})))).await.is_ok());
}

#[tokio::test]
async fn a_burst_of_unknown_keys_fetches_once() {
    let issuer = Issuer::new();
    let (verifier, fetched) = by_document(issuer.document(), None).await;
    let token = issuer.token("ES256", Some("unheard-of"), &user(&json!({})));
    let burst = futures_util::future::join_all((0..50).map(|_| verifier.verify(&token))).await;
    for outcome in burst {
        assert_eq!(outcome.map(drop), Err(AuthError::UnknownKey));
    }
    assert_eq!(fetched.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn unavailable_keys_are_a_server_error() {
    let mut rules = Auth::for_testing(None);
    rules.jwks_url = Some("http://127.0.0.1:9/jwks.json".parse().unwrap());
    let token = Issuer::new().token("ES256", Some("ec"), &user(&json!({})));
    let verifier = Verifier::new(rules);
    assert_eq!(refusal(&verifier, &token).await, AuthError::KeysUnavailable);
}

#[tokio::test]
async fn the_cache_of_tokens_is_bounded() {
    let verifier = by_secret();
    for n in 0..100 {
        verifier.verify(&hs256(&user(&json!({"sub": format!("u{n}")})))).await.unwrap();
        assert!(verifier.cache.len() <= 16);
    }
}

/// Asserts no time. `cargo test --release -- --ignored --nocapture token_check` prints the cost of a check.
#[tokio::test]
#[ignore = "prints a measurement"]
async fn token_check_cost() {
    let issuer = Issuer::new();
    let (verifier, _) = by_document(issuer.document(), Some(SECRET)).await;
    let claims = user(&json!({"email": "member@acme.example", "app_metadata": {"provider": "email"},
        "user_metadata": {"name": "A Member"}, "session_id": "0190aaaa-0000-7000-8000-000000000001"}));
    for (name, token) in [("HS256", hs256(&claims)), ("ES256", issuer.token("ES256", Some("ec"), &claims))] {
        for cached in [false, true] {
            let rounds = 20_000;
            let started = std::time::Instant::now();
            for _ in 0..rounds {
                if !cached {
                    verifier.cache.clear();
                }
                std::hint::black_box(verifier.verify(&token).await.unwrap());
            }
            let micros = started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
            println!("{name}, {}: {micros:.2} us", if cached { "cached" } else { "not cached" });
        }
    }
}
