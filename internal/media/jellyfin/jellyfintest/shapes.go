package jellyfintest

// shapes are the fields of the server's objects, as its OpenAPI documents of 10.10.7, 10.11.11 and 12.0 name and type
// them. The defaults are those of the server's own constructors, as far as the contract tells (sections 4 and 5): what a
// body leaves out becomes them. parseField says how a field is written.
var shapes = map[string][]string{
	"UserPolicy": {
		"IsAdministrator:bool IsHidden:bool=true IsDisabled:bool",
		"EnableCollectionManagement:bool EnableSubtitleManagement:bool EnableLyricManagement:bool",
		"MaxParentalRating:int? MaxParentalSubRating:int?@10.11",
		"BlockedTags:[text]?=[] AllowedTags:[text]?=[] BlockUnratedItems:[UnratedItem]?=[]",
		"EnableUserPreferenceAccess:bool=true AccessSchedules:[AccessSchedule]?=[]",
		"EnableRemoteControlOfOtherUsers:bool EnableSharedDeviceControl:bool=true EnableRemoteAccess:bool=true",
		"EnableLiveTvManagement:bool=true EnableLiveTvAccess:bool=true",
		"EnableMediaPlayback:bool=true EnableAudioPlaybackTranscoding:bool=true EnableVideoPlaybackTranscoding:bool=true",
		"EnablePlaybackRemuxing:bool=true ForceRemoteSourceTranscoding:bool",
		"EnableContentDeletion:bool EnableContentDeletionFromFolders:[text]?=[] EnableContentDownloading:bool=true",
		"EnableSyncTranscoding:bool=true EnableMediaConversion:bool=true",
		"EnabledDevices:[text]?=[] EnableAllDevices:bool=true EnabledChannels:[guid]?=[] EnableAllChannels:bool=true",
		"EnabledFolders:[guid]?=[] EnableAllFolders:bool=true",
		"InvalidLoginAttemptCount:int LoginAttemptsBeforeLockout:int=-1 MaxActiveSessions:int EnablePublicSharing:bool=true",
		"BlockedMediaFolders:[guid]? BlockedChannels:[guid]? RemoteClientBitrateLimit:int",
		"AuthenticationProviderId:text! PasswordResetProviderId:text!",
		`SyncPlayAccess:SyncPlayUserAccessType="CreateAndJoinGroups"`,
	},
	"AccessSchedule": {"Id:int UserId:guid? DayOfWeek:DynamicDayOfWeek StartHour:number EndHour:number"},
	"UserDto": {
		"Name:text? ServerId:text? ServerName:text? Id:guid? PrimaryImageTag:text?",
		"HasPassword:bool? HasConfiguredPassword:bool? HasConfiguredEasyPassword:bool? EnableAutoLogin:bool?",
		"LastLoginDate:time? LastActivityDate:time? PrimaryImageAspectRatio:number?",
		"Configuration:UserConfiguration?={} Policy:UserPolicy?={}",
	},
	"UserConfiguration": {
		"AudioLanguagePreference:text? PlayDefaultAudioTrack:bool=true SubtitleLanguagePreference:text?",
		`DisplayMissingEpisodes:bool GroupedFolders:[guid]=[] SubtitleMode:SubtitlePlaybackMode="Default"`,
		"DisplayCollectionsView:bool EnableLocalPassword:bool OrderedViews:[guid]=[] LatestItemsExcludes:[guid]=[]",
		"MyMediaExcludes:[guid]=[] HidePlayedInLatest:bool=true RememberAudioSelections:bool=true",
		"RememberSubtitleSelections:bool=true EnableNextEpisodeAutoPlay:bool=true CastReceiverId:text?",
	},
	"CreateUserByName":       {"Name:text! Password:text?"},
	"UpdateUserPassword":     {"CurrentPassword:text? CurrentPw:text? NewPw:text? ResetPassword:bool"},
	"ForgotPasswordDto":      {"EnteredUsername:text!"},
	"ForgotPasswordPinDto":   {"Pin:text!"},
	"AuthenticateUserByName": {"Username:text? Pw:text?"},
	"QuickConnectDto":        {"Secret:text!"},
	"StartupConfigurationDto": {
		"ServerName:text?@10.11 UICulture:text? MetadataCountryCode:text? PreferredMetadataLanguage:text?",
	},
	"StartupUserDto":            {"Name:text? Password:text?"},
	"StartupRemoteAccessDto":    {"EnableRemoteAccess:bool EnableAutomaticPortMapping:bool<12.0"},
	"AddVirtualFolderDto":       {"LibraryOptions:LibraryOptions?"},
	"UpdateLibraryOptionsDto":   {"Id:guid LibraryOptions:LibraryOptions?"},
	"MediaPathDto":              {"Name:text! Path:text? PathInfo:MediaPathInfo?"},
	"UpdateMediaPathRequestDto": {"Name:text! PathInfo:MediaPathInfo!"},
	"MediaPathInfo":             {"Path:text"},
	"CreatePlaylistDto":         {"Name:text Ids:[guid] UserId:guid? MediaType:MediaType? Users:[any] IsPublic:bool?"},
	"LibraryOptions": {
		"Enabled:bool=true EnablePhotos:bool=true EnableRealtimeMonitor:bool=true EnableLUFSScan:bool",
		"EnableChapterImageExtraction:bool ExtractChapterImagesDuringLibraryScan:bool",
		"EnableTrickplayImageExtraction:bool ExtractTrickplayImagesDuringLibraryScan:bool PathInfos:[MediaPathInfo]=[]",
		"SaveLocalMetadata:bool EnableInternetProviders:bool EnableAutomaticSeriesGrouping:bool EnableEmbeddedTitles:bool",
		"EnableEmbeddedExtrasTitles:bool EnableEmbeddedEpisodeInfos:bool AutomaticRefreshIntervalDays:int",
		`PreferredMetadataLanguage:text? MetadataCountryCode:text? SeasonZeroDisplayName:text="Specials"`,
		"MetadataSavers:[text]? DisabledLocalMetadataReaders:[text]=[] LocalMetadataReaderOrder:[text]?",
		"DisabledSubtitleFetchers:[text]=[] SubtitleFetcherOrder:[text]=[] DisabledMediaSegmentProviders:[text]=[]",
		"MediaSegmentProvideOrder:[text]=[]<10.11 MediaSegmentProviderOrder:[text]=[]@10.11",
		"SkipSubtitlesIfEmbeddedSubtitlesPresent:bool SkipSubtitlesIfAudioTrackMatches:bool=true",
		"SubtitleDownloadLanguages:[text]? RequirePerfectSubtitleMatch:bool=true SaveSubtitlesWithMedia:bool=true",
		"SaveLyricsWithMedia:bool SaveTrickplayWithMedia:bool DisabledLyricFetchers:[text]=[] LyricFetcherOrder:[text]=[]",
		"PreferNonstandardArtistsTag:bool UseCustomTagDelimiters:bool CustomTagDelimiters:[text]=[]",
		"DelimiterWhitelist:[text]=[] AutomaticallyAddToCollection:bool",
		`AllowEmbeddedSubtitles:EmbeddedSubtitleOptions="AllowAll" TypeOptions:[TypeOptions]=[]`,
	},
	"TypeOptions": {
		"Type:text? MetadataFetchers:[text]? MetadataFetcherOrder:[text]? ImageFetchers:[text]? ImageFetcherOrder:[text]?",
		"ImageOptions:[ImageOption]? SimilarItemProviders:[text]?@12.0 SimilarItemProviderOrder:[text]?@12.0",
	},
	"ImageOption": {"Type:text Limit:int MinWidth:int"},
}

// enums are the words that the server's enumerations have.
var enums = map[string][]string{
	"UnratedItem": {"Movie", "Trailer", "Series", "Music", "Book", "LiveTvChannel", "LiveTvProgram", "ChannelContent", "Other"},
	"DynamicDayOfWeek": {
		"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Everyday", "Weekday", "Weekend",
	},
	"SyncPlayUserAccessType":  {"CreateAndJoinGroups", "JoinGroups", "None"},
	"SubtitlePlaybackMode":    {"Default", "Always", "OnlyForced", "None", "Smart"},
	"EmbeddedSubtitleOptions": {"AllowAll", "AllowText", "AllowImage", "AllowNone"},
	"MediaType":               {"Unknown", "Video", "Audio", "Photo", "Book"},
	"CollectionTypeOptions":   {"movies", "tvshows", "music", "musicvideos", "homevideos", "boxsets", "books", "mixed"},
}
