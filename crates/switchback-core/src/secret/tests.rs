//! Planted secrets and innocent values, counted.

use super::*;

/// Half in a form that is known, half under a name, nested, or random. The key path is the outermost first.
fn planted() -> Vec<(&'static [&'static str], String)> {
    let random = |prefix: &str, length: usize| {
        let letters = b"aZ3kQ9xW7bT1mR5vL8cY2nP6dS4fG0hJjK";
        let body: String =
            (0..length).map(|at| char::from(letters[(at * 7 + length) % letters.len()])).collect();
        format!("{prefix}{body}")
    };
    let hexadecimal = |prefix: &str, length: usize| {
        let body: String = (0..length).map(|at| char::from(b"0f3a9c5e7b1d"[(at * 5 + 3) % 12])).collect();
        format!("{prefix}{body}")
    };
    let pem =
        format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", random("MII", 60));
    vec![
        (&["a"], "AKIAQ3EGRTZ5WXYP7LMN".to_owned()),
        (&["a"], random("ghp_", 36)),
        (&["a"], random("github_pat_", 60)),
        (&["a"], random("glpat-", 20)),
        (&["a"], random("xoxb-", 24)),
        (
            &["notify", "url"],
            format!("https://hooks.slack.com/services/{}", "T02AB3CD4/B05EF6GH7/aB3dE5fG7hI9jK1lM3nO5pQ7"),
        ),
        (&["a"], random("sk_live_", 24)),
        (&["a"], random("AIza", 35)),
        (&["a"], random("npm_", 36)),
        (&["a"], random("pypi-", 60)),
        (&["a"], format!("SG.{}.{}", random("", 22), random("", 43))),
        (&["a"], random("sk-proj-", 40)),
        (&["a"], random("hf_", 34)),
        (&["a"], hexadecimal("dop_v1_", 64)),
        (&["a"], hexadecimal("dapi", 32)),
        (&["a"], format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{}", random("", 43))),
        (&["tls", "certificate"], pem),
        (&["database", "url"], "postgresql://abaco:h4rdToGuess@db:5432/loans".to_owned()),
        (&["broker"], "amqp://guest:Tr0ub4dor@mq/".to_owned()),
        (
            &["storage"],
            format!("DefaultEndpointsProtocol=https;AccountName=x;AccountKey={}==", random("", 60)),
        ),
        (&["report"], format!("https://x.blob.core.windows.net/c?sv=2024&sig={}", random("", 40))),
        (&["headers", "extra"], format!("Bearer {}", random("", 30))),
        (&["odbc"], "Driver=x;Server=y;Uid=sa;Pwd=Tr0ub4dor;".to_owned()),
        (&["a"], random("hvs.", 28)),
        (&["a"], random("ya29.", 40)),
        (&["db", "password"], "correct horse battery staple".to_owned()),
        (&["db", "password"], "hunter2".to_owned()),
        (&["db", "passwd"], "letmein".to_owned()),
        (&["smtp", "pass"], "sommer24".to_owned()),
        (&["DB_PASSWORD"], "tiger".to_owned()),
        (&["keystorePassphrase"], "open sesame".to_owned()),
        (&["api", "apiKey"], "a1b2c3d4e5".to_owned()),
        (&["api", "api_key"], hexadecimal("", 32)),
        (&["client_secret"], hexadecimal("", 40)),
        (&["oauth", "clientSecret"], random("", 16)),
        (&["cascade", "session_cookie"], "s%3Aab12cd34ef56".to_owned()),
        (&["auth", "token"], hexadecimal("", 24)),
        (&["slack", "webhook"], "T02-b05-9f8e7d6c".to_owned()),
        (&["aws", "secret_access_key"], random("", 40)),
        (&["azure", "account_key"], random("", 44)),
        (&["signing_key"], hexadecimal("", 64)),
        (&["encryption-key"], random("", 32)),
        (&["django", "SECRET_KEY"], "django-insecure-9f$k2@x".to_owned()),
        (&["secrets", "meta"], "EAAG9f8e7d6c5b".to_owned()),
        (&["credentials", "cascade", "value"], "cas-77aa88bb".to_owned()),
        (&["password_prod"], "Winter2025!".to_owned()),
        (&["tokens", "supabase"], "sbp_0a1b2c3d4e".to_owned()),
        (&["sentry", "dsn"], "o4501.9f8e7d6c@ingest".to_owned()),
        (&["something"], random("", 32)),
        (&["nested", "deep", "x"], random("", 44)),
    ]
}

#[test]
fn every_planted_secret_is_suspected() {
    let planted = planted();
    assert_eq!(planted.len(), 50);
    let missed: Vec<_> = planted.iter().filter(|(keys, value)| suspect(keys, value).is_none()).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn no_planted_secret_survives_in_what_a_command_puts_out() {
    for (keys, value) in planted() {
        let name = keys.last().unwrap();
        for line in [
            format!("{name}={value}"),
            format!("{name}: '{value}'"),
            format!("connection failed ({name}=\"{value}\")"),
            serde_json::json!({ *name: value }).to_string(),
        ] {
            // What is a secret only by the name of a parent cannot be told in a line.
            let is_told = (*name != "pass" || line.contains('=')) && suspect(&[name], &value).is_some();
            let clean = clean_output(&line);
            let pieces = value.lines().max_by_key(|line| line.len()).unwrap();
            assert!(!is_told || !clean.contains(pieces), "{line}\n{clean}");
        }
    }
}

/// What stands in configurations and is no secret.
fn innocent() -> Vec<(Vec<String>, String)> {
    let mut values: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: String| values.push((key.to_owned(), value));
    for number in 0..20_u32 {
        let hash = |length: usize| -> String {
            (0..length)
                .map(|at| char::from(b"0123456789abcdef"[(at * 7 + at / 3 + number as usize) % 16]))
                .collect()
        };
        add("commit", hash(40));
        add("sha256", hash(64));
        add("image", format!("registry.example.org/abaco/pipeline@sha256:{}", hash(64)));
        add("run_id", format!("{}-{}-4{}-8{}-{}", hash(8), hash(4), hash(3), hash(3), hash(12)));
        add(
            "artifact",
            format!("logs/runs/2025-12-{:02}/Run{number}_Kpi_Timeseries_Daily.parquet", number + 1),
        );
        add("class", format!("python.pipeline.calculation_v{number}.UnifiedCalculationV{number}"));
        add("formula", format!("SUM(dpd_{number}_60 + dpd_90_plus) / SUM(total_receivable_usd) * 100"));
        add("schedule", format!("{number} 7 * * 1-5"));
        add("webhook_secret", format!("SLACK_WEBHOOK_TOKEN_{number}"));
        add("token_secret", "META_SYSTEM_USER_TOKEN".to_owned());
        add("password", format!("${{DB_PASSWORD_{number}}}"));
        add("api_key", format!("${{API_KEY_{number}:?set it}}"));
        add("max_tokens", format!("{}", 1000 * number));
        add("token_url", format!("https://login.example.org/oauth2/v{number}.0/token"));
        add("primary_key", format!("loan_id_{number}"));
        add("sort_key", "measurementDate2024Desc".to_owned());
        add("keywords", "name, email, phone, address".to_owned());
        add(
            "endpoint",
            format!("https://hooks.slack.com/services/{{workspace}}/{{channel}}/{{token}}?v={number}"),
        );
        add("auth_type", "session_cookie".to_owned());
        add("password_policy", "at least 12 characters".to_owned());
        add("secret_name", format!("prod/abaco/db{number}"));
        add("key_file", format!("/run/secrets/deploy_{number}.pem"));
        add("owner", format!("data-engineering-team-{number}@example.org"));
        add("description", "Percentage of portfolio delinquent beyond 90 days".to_owned());
        add("table", format!("analyticsLayer.Par90Metrics{number}Daily"));
    }
    values.into_iter().map(|(key, value)| (vec![key], value)).collect()
}

#[test]
fn of_five_hundred_innocent_values_hardly_any_is_masked() {
    let innocent = innocent();
    assert_eq!(innocent.len(), 500);
    let suspected: Vec<String> = innocent
        .iter()
        .filter_map(|(keys, value)| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            suspect(&keys, value).map(|why| format!("{keys:?} {value}: {}", why.words()))
        })
        .collect();
    assert!(suspected.len() <= 5, "{suspected:#?}");
    let masked: Vec<String> = innocent
        .iter()
        .map(|(keys, value)| format!("{}: {value}", keys[0]))
        .filter(|line| clean_output(line) != *line)
        .collect();
    assert!(masked.len() <= 5, "{masked:#?}");
}

#[test]
fn prose_about_secrets_is_left_as_it_is() {
    for text in [
        "the token was not accepted",
        "password: wrong",
        "no secret is written",
        "key: value",
        "primary key = id",
        "FATAL: password authentication failed for user \"abaco\"",
        "set DB_PASSWORD, or write ${DB_PASSWORD}",
        "see https://example.org/a@b:c",
    ] {
        let clean = clean_output(text);
        assert!(clean == text || text == "password: wrong", "{text}: {clean}");
    }
}

/// Command lines, sentences and keys as they stand in scripts, histories and messages; the secret of each is the second.
const SAID: &[(&str, &str)] = &[
    ("mysql -u root -phunter2 loans", "hunter2"),
    ("+ mysqldump --host=db -uloans -p'hunter 2' loans > dump.sql", "hunter 2"),
    ("mariadb-dump -phunter2", "hunter2"),
    ("mysql --user=root --password hunter2", "hunter2"),
    ("loader --db-password hunter2 --verbose", "hunter2"),
    ("keytool -list -storepass changeit -keystore k.jks", "changeit"),
    ("curl -u loans:hunter2 https://example.org/api", "hunter2"),
    ("curl -su 'loans:hunter2' -o out https://example.org", "hunter2"),
    ("curl --user loans:hunter2 https://example.org", "hunter2"),
    ("curl -X POST --proxy-user=loans:hunter2 https://example.org", "hunter2"),
    ("http -a loans:hunter2 example.org/api", "hunter2"),
    ("wget --http-user=loans --http-password=hunter2 https://example.org", "hunter2"),
    ("sshpass -p hunter2 ssh loans@db", "hunter2"),
    ("docker login -u loans -p hunter2 registry.example.org", "hunter2"),
    ("mongodump -u loans -p hunter2 --out dump", "hunter2"),
    ("sqlcmd -S db -U sa -P hunter2 -Q 'select 1'", "hunter2"),
    ("redis-cli -h cache -a hunter2 ping", "hunter2"),
    ("ldapsearch -D cn=admin -w hunter2 -b dc=example", "hunter2"),
    ("smbclient //files/loans -U loans%hunter2", "hunter2"),
    ("sqlplus loans/hunter2@db", "hunter2"),
    ("openssl rsa -in key.pem -passin pass:hunter2", "hunter2"),
    ("PGPASSWORD=hunter2 psql -h db", "hunter2"),
    ("the password is hunter2", "hunter2"),
    ("Your password for loans@example.org was set to hunter2.", "hunter2"),
    ("could not log in as loans with password 'swordfish'", "swordfish"),
    ("login failed (user loans, password hunter2)", "hunter2"),
    ("the API key is 9f8e7d6c5b", "9f8e7d6c5b"),
    ("MC4CAQAwBQYDK2VwBCIEIPtUxyxlhjOWetjIYmc98dmB2GxpeaMPP64qBhZmG13r", "PtUxyxlhjOWetjIYmc98dm"),
    (
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\nwko6OfHJlhFbtmmEklW2kZtAsEZDlYKdZVsvSsf1kVbPSsg0\nAQAB==",
        "AQAB",
    ),
    (
        "key:\n  wggSjAgEAAoIBAQC7VJTUt9Us8cKBMzEfYyjiWA4R4ha2yx9fFvmT4dqYxFm5kkT\n  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1\n  x9Gh==\ndone",
        "x9Gh",
    ),
    ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW", "AAAAMwAAAAtzc2gtZW"),
];

#[test]
fn secrets_of_command_lines_sentences_and_keys_without_their_frame_are_blanked() {
    let told: Vec<String> = SAID
        .iter()
        .map(|(line, secret)| (clean_output(line), secret))
        .filter(|(clean, secret)| clean.contains(*secret))
        .map(|(clean, _)| clean)
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    // What is around a secret stays.
    assert_eq!(clean_output("mysql -u root -phunter2 loans"), "mysql -u root -p*** loans");
    assert_eq!(
        clean_output("curl -u loans:hunter2 https://example.org"),
        "curl -u loans:*** https://example.org"
    );
    assert_eq!(
        clean_output("the password is hunter2, and that is it"),
        "the password is ***, and that is it"
    );
    assert!(
        clean_output(SAID[SAID.len() - 2].0).ends_with("***\ndone"),
        "{}",
        clean_output(SAID[SAID.len() - 2].0)
    );
}

#[test]
fn innocent_command_lines_and_sentences_are_left_as_they_are() {
    let innocent = [
        "mysql -u root -p loans",
        "mysql -u root -p\"$DB_PASSWORD\" loans",
        "mysql --port=3306 --protocol=tcp --host db",
        "docker run -u 1000:1000 -p 8080:80 image",
        "docker run --user node:node -p 5432:5432 postgres",
        "ssh -p 2222 loans@db",
        "mkdir -p build/mysql-data",
        "cp -pr mysql backup",
        "curl -o out:1 https://example.org",
        "curl -u \"$USER:$PASSWORD\" https://example.org",
        "python -u run.py db:5432",
        "nmap -p 22 host",
        "tar -pxf a.tar",
        "http://example.org -a b",
        "the password is required",
        "the password is wrong",
        "your password was changed",
        "the token is expired",
        "the secret is missing",
        "token 12 of 40",
        "the password is base64",
        "unexpected token at line 5",
        "password for user abaco is required",
        "PASS: 12 tests, password check 3",
        "secret was found in 2 files",
        "the api key is not set",
        "MIGRATE the database, then MIRROR it",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "________________________________________________________________",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl",
        "redis-cli -h cache -p 6379 ping",
        "openssl rsa -in key.pem -passin env:KEY_PASSWORD",
        "4. Apply economic constraint filtering (193/793 pass = 24.3%)",
        "\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\",",
    ];
    let masked: Vec<String> = innocent.iter().map(|line| clean_output(line)).collect();
    let changed: Vec<_> = innocent.iter().zip(&masked).filter(|(line, clean)| line != clean).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn names_of_variables() {
    for name in [
        "API_KEY",
        "PGPASSWORD",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "MYSQL_PWD",
        "SENTRY_DSN",
        "DATABASE_URL",
    ] {
        assert!(is_secret_variable(name), "{name}");
    }
    for name in
        ["PWD", "OLDPWD", "HOME", "KEYBOARD_LAYOUT", "PATH", "LANG", "TOKENIZERS_PARALLELISM", "MONKEY"]
    {
        assert!(!is_secret_variable(name), "{name}");
    }
}

#[test]
fn what_source_code_has_behind_such_a_name_is_no_secret() {
    for text in [
        "def create_with_credentials(credentials: Dict[str, str]) -> None:",
        "    token: typing.Optional[str] = None",
        "    PASS = \"PASS\"",
        "  - asttokens=3.0.0=pyhd8ed1ab_1",
        "\"AccessKeyId\": \"AKIAIOSFODNN7EXAMPLE\",",
    ] {
        assert_eq!(clean_text(text), text);
    }
    for text in [
        "token = \"Dict1[str8zq\"",
        "password=3.0.x=pyhd8ed1ab_1",
        "\"AccessKeyId\": \"AKIAQ3EGRTZ5WXYP7LMN\"",
    ] {
        assert_ne!(clean_text(text), text);
    }
}

#[test]
fn names_of_tests_are_no_secrets() {
    let kept = r#"{"run":"{\"tests/test_login.py::TestCredentials::test_missing\":\"passed\",\"a:test_reset_password\":\"passed\",\"b:test_token\":\"failed\",\"test_password\":\"xfailed\",\"test_passphrase\":\"skipped\"}"}"#;
    for text in
        [kept, "FAILED tests/test_login.py::TestCredentials::test_missing", "tests.x.TestToken::test_a[1-b]"]
    {
        assert_eq!(clean_text(text), text);
    }
}
