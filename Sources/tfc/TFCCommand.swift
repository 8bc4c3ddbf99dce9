import ArgumentParser

@main
struct TFCCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tfc", abstract: "Compiles traced graphs ahead of time to native shared libraries.")
}
