internal import Foundation
internal import IR

/// Runs a graph or a library on tensors in `.npy` files.
public struct Execution: Sendable {
  /// One input file, as `name=file.npy` says it.
  public struct Input: Hashable, Sendable {
    public var name: String
    public var path: String

    public init(name: String, path: String) {
      self.name = name
      self.path = path
    }

    /// Reads `name=file.npy`; nil for anything else. The name may contain `=`, the file's not.
    public init?(_ text: String) {
      guard let separator = text.lastIndex(of: "="), separator != text.startIndex else { return nil }
      name = String(text[..<separator])
      path = String(text[text.index(after: separator)...])
    }
  }

  let options: Options
  let progress: Progress
  /// Whether the graph is evaluated op by op, without being compiled.
  public var usesReference = false
  /// The most threads that work on a call; 0 for the library's default.
  public var threads = 0

  public init(_ options: Options, progress: Progress = .silent) {
    self.options = options
    self.progress = progress
  }

  /// Runs the model at `path` once and writes its outputs into the folder.
  public func run(_ path: String, inputs: [Input], outputFolder: String) throws(Failure) {
    defer { progress.end() }
    try options.expectThisMachine()
    let results: [Result]
    let files = try read(inputs)
    if try GraphKind(ofFile: path) == .library {
      if usesReference { throw .refused("--reference needs a graph", place: path) }
      results = try runLibrary(path, files, place: path)
    } else if usesReference {
      results = try evaluate(path, files)
    } else {
      results = try compileAndRun(path, files)
    }
    try Files.makeFolder(outputFolder)
    for (position, result) in results.enumerated() {
      let name = Self.fileName(of: result.name, position, among: results)
      try NumpyFile(result.value).write(to: "\(outputFolder)/\(name)")
    }
  }

  struct Result {
    var name: String
    var value: Literal
  }

  func read(_ inputs: [Input]) throws(Failure) -> [String: NumpyFile] {
    var files: [String: NumpyFile] = [:]
    for input in inputs {
      guard files[input.name] == nil else { throw .refused("input '\(input.name)' is given twice") }
      files[input.name] = try NumpyFile(reading: input.path)
    }
    return files
  }

  /// NAME.npy with every character that a file should not have replaced; outN.npy where two names become one.
  private static func fileName(of name: String, _ position: Int, among results: [Result]) -> String {
    func plain(_ name: String) -> String {
      String(
        name.unicodeScalars.map { scalar -> Character in
          let isPlain =
            scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains(scalar))
          return isPlain ? Character(scalar) : "_"
        })
    }
    let own = plain(name)
    let isUnique = results.filter { plain($0.name) == own }.count == 1
    return isUnique && !own.isEmpty && own.utf8.count < 200 && own != "." && own != ".."
      ? "\(own).npy" : "out\(position).npy"
  }

  // MARK: Libraries

  /// Errors are said of `place`: the library, or the graph that it was just made from.
  private func runLibrary(_ path: String, _ files: [String: NumpyFile], place: String) throws(Failure) -> [Result] {
    let artifact = try Artifact(path, threads: threads, place: place)
    artifact.showDeviceRefusal(progress)
    let inputs = try Self.literals(
      for: artifact.inputs.map { (name: $0.name, type: $0.elementType) }, files, place)
    let (_, dimensions) = try artifact.solve(inputs)
    let buffers = try CallBuffers(artifact, inputs: inputs, outputDimensions: dimensions)
    progress.begin("running")
    try artifact.run(buffers)
    let names = artifact.outputs.map(\.name)
    return zip(names, try artifact.results(in: buffers)).map { Result(name: $0, value: $1) }
  }

  /// The inputs in order, of their types; every one must be given, and nothing else.
  static func literals(
    for expected: [(name: String, type: ElementType)], _ files: [String: NumpyFile], _ path: String
  ) throws(Failure) -> [Literal] {
    let files = try byName(files, expected.map(\.name), path)
    var literals: [Literal] = []
    for input in expected {
      guard let file = files[input.name] else {
        throw .refused("input '\(input.name)' is missing; give it with --input \(input.name)=FILE.npy", place: path)
      }
      do throws(Failure) { literals.append(try file.literal(input.type)) } catch {
        let message = error.diagnostics.first?.message ?? ""
        throw .refused("input '\(input.name)': \(message)", place: path)
      }
    }
    return literals
  }

  /// The files by their inputs' own names: the input at position i may also be called `argI`.
  static func byName(_ files: [String: NumpyFile], _ names: [String], _ path: String) throws(Failure)
    -> [String: NumpyFile]
  {
    let known = Set(names)
    var found: [String: NumpyFile] = [:]
    for (name, file) in files.sorted(by: { $0.key < $1.key }) {
      let position = name.hasPrefix("arg") ? Int(name.dropFirst(3)) : nil
      let own = known.contains(name) ? name : position.flatMap { names.indices.contains($0) ? names[$0] : nil }
      guard let own else {
        let list = names.map { "'\($0)'" }.joined(separator: ", ")
        throw .refused("there is no input '\(name)'; the model has \(list.isEmpty ? "none" : list)", place: path)
      }
      guard found.updateValue(file, forKey: own) == nil else {
        throw .refused("input '\(own)' is given twice", place: path)
      }
    }
    return found
  }

  // MARK: Graphs

  private func evaluate(_ path: String, _ files: [String: NumpyFile]) throws(Failure) -> [Result] {
    let source = try Pipeline(options, progress: progress).source(path, inputs: files)
    let function = source.function
    let expected = zip(function.parameterNames, function.graph.parameterTypes).map { (name: $0, type: $1.elementType) }
    let inputs = try Self.literals(for: expected, files, path)
    do throws(OpError) {
      _ = try function.boundSymbols(for: inputs.map(\.type))
    } catch {
      throw .refused("\(error)", place: path)
    }
    progress.begin("evaluating")
    do throws(OpError) {
      let values = try function.evaluate(inputs, in: source.module)
      return zip(function.resultNames, values).map { Result(name: $0, value: $1) }
    } catch {
      if error.kind == .unsupported { throw Pipeline.failure(error, path) }
      throw .runtime("\(error)", place: path)
    }
  }

  private func compileAndRun(_ path: String, _ files: [String: NumpyFile]) throws(Failure) -> [Result] {
    let pipeline = try Pipeline(options, progress: progress)
    let folder = try TemporaryFolder()
    let library = folder.file("libmodel.so")
    var times = StageTimes()
    let source = try times.measure("import") { () throws(Failure) in try pipeline.source(path, inputs: files) }
    try pipeline.library(source, library, &times)
    let results = try times.measure("run") { () throws(Failure) in try runLibrary(library, files, place: path) }
    if options.timesPasses { progress.show(times.table) }
    return results
  }
}
