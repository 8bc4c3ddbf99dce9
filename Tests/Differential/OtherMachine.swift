import Driver
import Foundation
import IR

/// A machine that this one has libraries for and a program that runs them, such as an emulator with `guarded`.
struct OtherMachine {
  var triple: String
  var cpu: String?
  /// Runs Tests/Sanitizers/guarded.c.
  var command: [String]

  /// The results of a function, compiled with fusion or without, between pages that may not be touched.
  func results(_ function: Function, fuses: Bool, _ arguments: [Literal], symbols: [Symbol: Int]) throws -> [Literal] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appending(path: name).path }
    var options = Options()
    (options.triple, options.cpu) = (triple, cpu)
    options.fuses = fuses
    options.verifies = true
    try function.compile(in: Module(functions: [function]), options, to: path("libfunction.so"))

    var inputs = Data()
    for literal in arguments {
      for extent in literal.dimensions {
        withUnsafeBytes(of: Int64(extent).littleEndian) { inputs.append(contentsOf: $0) }
      }
      inputs.append(contentsOf: literal.expanded.bytes)
    }
    try inputs.write(to: folder.appending(path: "inputs"))
    try run(["call", path("libfunction.so"), path("inputs"), path("outputs")], log: path("log"))
    let outputs = [UInt8](try Data(contentsOf: folder.appending(path: "outputs")))
    return try literals(function.graph.resultTypes, symbols, outputs)
  }

  private func run(_ arguments: [String], log: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command + arguments
    guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log)
    else { throw LoadError(description: "no file can be written") }
    process.standardOutput = output
    process.standardError = output
    try process.run()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let text = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
      throw LoadError(description: "\(command.joined(separator: " ")) failed (\(process.terminationStatus)): \(text)")
    }
  }

  /// The bytes as tensors of these types.
  private func literals(_ types: [TensorType], _ symbols: [Symbol: Int], _ bytes: [UInt8]) throws -> [Literal] {
    var (literals, first): ([Literal], Int) = ([], 0)
    for type in types {
      let dimensions = type.dimensions.map { extent in
        extent.evaluated { atom in
          if case .symbol(let symbol) = atom { return symbols[symbol] }
          return nil
        } ?? 0
      }
      let end = first + dimensions.reduce(type.elementType.byteCount, *)
      guard end <= bytes.count else { throw LoadError(description: "the outputs have \(bytes.count) bytes only") }
      literals.append(Literal(type.elementType, dimensions, bytes: Array(bytes[first..<end])))
      first = end
    }
    return literals
  }
}
