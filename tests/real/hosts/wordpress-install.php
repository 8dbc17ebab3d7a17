<?php // php wordpress-install.php ROOT: installs the site, prints an application password of its administrator
define('WP_INSTALLING', true);
function wp_new_blog_notification() {} // it would send mail
$_SERVER['HTTP_HOST'] = parse_url(getenv('WP_URL'), PHP_URL_HOST) . ':' . parse_url(getenv('WP_URL'), PHP_URL_PORT);
$_SERVER['REQUEST_URI'] = '/';
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
$made = wp_install('Test Blog', 'admin', 'admin@example.test', true, '', 'the-own-password');
update_option('permalink_structure', '/%year%/%monthnum%/%postname%/');
$GLOBALS['wp_rewrite']->init();
$GLOBALS['wp_rewrite']->flush_rules(false);
list($password) = WP_Application_Passwords::create_new_application_password($made['user_id'], ['name' => 'reverberate']);
echo "\n", $password, "\n";
