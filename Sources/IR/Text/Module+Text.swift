extension Module {
  /// The module that MLIR text in StableHLO's syntax describes, in pretty or generic form.
  public init(parsing text: String, fileName: String = "<text>") throws(TextError) {
    let source = SourceText(text, fileName: fileName)
    var parser = try SyntaxParser(source)
    let ops = try parser.file()
    var lowering = Lowering(parser)
    self = try lowering.module(ops, name: "main")
  }
}
