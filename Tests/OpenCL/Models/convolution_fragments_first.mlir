// A convolution in fragments: channels first, three of them, in two groups of images' features.
func.func @main(%x: tensor<1x6x7x9xbf16>, %k: tensor<34x3x3x4xbf16>) -> tensor<1x34x5x6xbf16> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1], pad = [[0, 0], [0, 0]]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64} : (tensor<1x6x7x9xbf16>, tensor<34x3x3x4xbf16>) -> tensor<1x34x5x6xbf16>
  return %0 : tensor<1x34x5x6xbf16>
}
