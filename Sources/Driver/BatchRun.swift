internal import Foundation

extension Execution {
  /// One line of a batch file.
  private struct Case: Decodable {
    var id: Int
    var graph: String
    var function: String?
    var inputs: [String: String]?
    var outputDir: String

    enum CodingKeys: String, CodingKey {
      case id, graph, function, inputs
      case outputDir = "output_dir"
    }
  }

  /// What is printed after a case.
  private struct Verdict: Encodable {
    var id: Int
    var exit: Int32
    var message: String
  }

  /// Runs the cases of a file with one JSON object a line, in order; `report` gets one line of JSON for each.
  public func runBatch(_ path: String, report: (String) -> Void) throws(Failure) {
    try options.expectThisMachine()
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard !line.allSatisfy(\.isWhitespace) else { continue }
      let entry: Case
      do { entry = try JSONDecoder().decode(Case.self, from: Data(line.utf8)) } catch {
        throw .refused("line \(number + 1) is not a case: \(Self.reason(error))", place: path)
      }
      report(JSONText.line(verdict(entry)))
    }
  }

  private func verdict(_ entry: Case) -> Verdict {
    var options = options
    options.function = entry.function
    var execution = Execution(options, progress: progress)
    execution.usesReference = usesReference
    execution.threads = threads
    let inputs = (entry.inputs ?? [:]).map { Input(name: $0.key, path: $0.value) }
    do throws(Failure) {
      try execution.run(entry.graph, inputs: inputs.sorted { $0.name < $1.name }, outputFolder: entry.outputDir)
      return Verdict(id: entry.id, exit: 0, message: "")
    } catch {
      return Verdict(id: entry.id, exit: error.exitCode, message: error.summary)
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type"
    default: "it is not a JSON object"
    }
  }
}
