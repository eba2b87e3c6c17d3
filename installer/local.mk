## installer
