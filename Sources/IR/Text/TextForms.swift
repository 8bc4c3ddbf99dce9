extension TextForm {
  /// The forms of ops with attributes; a new op adds its line here.
  static let forms: [TextForm] = [
    Constant.text, Transpose.text, BroadcastInDim.text, Reshape.text, Iota.text, Slice.text, DynamicSlice.text,
    DynamicUpdateSlice.text, Concatenate.text, Pad.text, Reverse.text, Reduce.text, DotGeneral.text, Convolution.text,
    While.text, If.text, Case.text, Call.text, Composite.text, OptimizationBarrier.text, Fusion.text,
    Pointwise.convertText, Pointwise.bitcastText, Pointwise.reducePrecisionText, Pointwise.compareText,
  ]
}
