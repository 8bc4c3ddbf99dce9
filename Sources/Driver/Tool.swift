internal import Foundation

/// A program that was started, such as a C compiler.
struct Tool: ~Copyable {
  private let process: pid_t
  private let command: String
  private let output: String
  private var isFinished = false
  private static let shell = "/bin/sh"

  /// Starts `program` in `folder`; what it prints goes to a file there.
  init(_ program: String, _ arguments: [String], in folder: String) throws(Failure) {
    command = Files.name(of: program)
    output = "\(folder)/\(command)-\(UInt32.random(in: 0 ... .max)).log"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // The folder is entered by a shell: not every system can do that while it starts a program.
    let words = [Self.shell, "-c", "cd \"$0\" && exec \"$@\"", folder, program] + arguments
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    let result = posix_spawn(&process, Self.shell, &actions, nil, &pointers, environ)
    guard result == 0 else { throw .runtime("\(program) cannot be started: \(String(cString: strerror(result)))") }
    self.process = process
  }

  /// What nobody waits for is not needed any more.
  deinit {
    if isFinished { return }
    kill(process, SIGTERM)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
  }

  /// Waits for its end; throws with what it printed unless it succeeded.
  consuming func finish() throws(Failure) {
    isFinished = true
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw .runtime("\(command) was lost: \(Files.systemError)") }
    }
    if status == 0 { return }
    let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n").map(String.init)
    let reason = lines.first { $0.contains("error") } ?? lines.last ?? "status \(status)"
    throw Failure(.runtime, [Diagnostic(message: "\(command) failed: \(reason)", excerpt: Array(lines.prefix(40)))])
  }

  /// Starts it and waits for its end.
  static func run(_ program: String, _ arguments: [String], in folder: String) throws(Failure) {
    let tool = try Tool(program, arguments, in: folder)
    try tool.finish()
  }

  /// The program called `name` in the folders of PATH.
  static func find(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    return folders.lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }
}
